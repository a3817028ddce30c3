"""The served models: finding and loading versions, batching requests, running signatures."""
