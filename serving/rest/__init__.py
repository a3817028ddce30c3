"""TensorFlow Serving's REST interface, and HTTP beneath it."""
