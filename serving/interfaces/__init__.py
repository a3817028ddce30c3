"""What is asked of the server over REST and gRPC, and how it is answered."""
