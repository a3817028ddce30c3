"""CSV files as Arrow record batches: dialect, decoding, types, rules and checks."""
