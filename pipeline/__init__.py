"""What a run is: configuration, graph, runner and command line."""
