package ladder.peer;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

/** Arguments: brokers, application id, state folder, topic in, topic out, guarantee, then settings. */
public final class Peer {

    private Peer() {}

    public static void main(String[] arguments) {
        Properties config = new Properties();
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        config.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[5]);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        for (int place = 6; place < arguments.length; place++) {
            String[] setting = arguments[place].split("=", 2);
            config.put(setting[0], setting[1]);
        }
        KafkaStreams streams = new KafkaStreams(topology(arguments[3], arguments[4]).build(), config);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            new Thread(() -> System.exit(1)).start();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(
                new Thread(() -> streams.close(Duration.ofSeconds(8))));
        streams.start();
    }

    private static StreamsBuilder topology(String in, String out) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(Climb.STORE),
                                Serdes.String(),
                                Json.serde(Customer.class))
                        .withCachingEnabled());
        builder.stream(in, Consumed.with(Serdes.String(), Json.serde(Purchase.class)))
                .processValues(Climb::new, Climb.STORE)
                .to(out, Produced.with(Serdes.String(), Json.serde(StageChange.class)));
        return builder;
    }
}
