"""What a worker answers over HTTP (contract section 10)."""
