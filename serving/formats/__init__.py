"""What requests and answers hold, as JSON and as protocol buffers."""
