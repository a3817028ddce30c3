"""The models that are served: their versions, their calls, their batches."""
