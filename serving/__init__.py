"""A small server for pushed models, with the interface of TensorFlow Serving."""
