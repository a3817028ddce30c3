"""A server for pushed models with the REST and gRPC interfaces of TensorFlow Serving."""
