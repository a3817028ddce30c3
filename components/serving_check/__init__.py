"""The last check before a push: every signature of the exported model predicts as it should."""
