"""The interfaces of the server, REST and gRPC, and what they share."""
