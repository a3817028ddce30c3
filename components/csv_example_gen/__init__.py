"""ExampleGen for CSV files: reads them with Arrow; splits and fingerprints follow their content."""
