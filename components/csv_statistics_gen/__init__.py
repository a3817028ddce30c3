"""Makes statistics of CSV files that no example is made from."""
