"""ExampleGen for CSV: read with Arrow in blocks, split by content, fingerprinted by content."""
