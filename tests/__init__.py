"""The tests: a folder per package, `helpers` for what several files need."""
