package ladder.peer;

import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;

/** Counts a purchase, and forwards a stage change when the rung is another one. */
final class Climb implements FixedKeyProcessor<String, Purchase, StageChange> {

    static final String STORE = "customers";

    private FixedKeyProcessorContext<String, StageChange> context;
    private KeyValueStore<String, Customer> customers;

    @Override
    public void init(FixedKeyProcessorContext<String, StageChange> context) {
        this.context = context;
        customers = context.getStateStore(STORE);
    }

    @Override
    public void process(FixedKeyRecord<String, Purchase> record) {
        Customer known = customers.get(record.key());
        Customer before = known == null ? Customer.NEW : known;
        Customer after = before.buy(record.value().data().amount());
        customers.put(record.key(), after);
        if (!after.rung().equals(before.rung())) {
            context.forward(record.withValue(StageChange.of(record.value(), before, after)));
        }
    }
}
