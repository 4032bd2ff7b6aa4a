package ladder.peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/** A CloudEvent of the type purchase.completed: what of it is used. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Purchase(String id, String source, String type, String subject, String time, Data data) {

    @JsonIgnoreProperties(ignoreUnknown = true)
    record Data(long amount, String currency, int units) {}
}
