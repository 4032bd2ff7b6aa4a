package ladder.peer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A stage change as Loyalty Ladder publishes it, but for since when the rung left was held. */
record StageChange(
        String specversion, String id, String source, String type, String subject, String time,
        String datacontenttype, Data data) {

    record Data(
            String ladder, int version, int sequence, String from, String to, String direction,
            List<String> passed, String cause, Trigger trigger, Rule because, Next next,
            String suggest, boolean quiet) {}

    record Trigger(String source, String id, String type) {}

    record Rule(String rule, Map<String, Object> facts) {}

    record Next(String rung, String rule, Map<String, Object> facts) {}

    static StageChange of(Purchase event, Customer before, Customer after) {
        boolean first = before.rung() == null;
        int sequence = first ? 1 : 2;
        Map<String, Object> bought = Map.of("purchases", after.purchases());
        Map<String, Object> card = new HashMap<>();
        card.put("card", null);
        Data data = new Data(
                "raving-fan", 1, sequence, before.rung(), after.rung(), "up",
                first ? List.of("suspect", "prospect", "shopper") : List.of("customer"), "event",
                new Trigger(event.source(), event.id(), event.type()),
                new Rule(first ? "purchases >= 1" : "purchases >= 2", bought),
                first ? new Next("customer", "purchases >= 2", bought)
                        : new Next("member", "card != none", card),
                first ? "thank-and-invite-back" : "offer-membership", false);
        return new StageChange(
                "1.0", "raving-fan/" + event.subject() + "/" + sequence, "/loyalty-ladder",
                "loyalty.stage.changed", event.subject(), event.time(), "application/json", data);
    }
}
