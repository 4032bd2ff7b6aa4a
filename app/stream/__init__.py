"""The shell around the rules: Kafka in, one transaction per partition batch, RocksDB after it."""
