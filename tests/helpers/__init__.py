"""What several test files need: a module per subject, imported as `tests.helpers.<name>`."""
