"""Pusher that publishes a model by one rename, under a version that always rises."""
