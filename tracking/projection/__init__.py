"""What MLflow is to hold of a run, made from its events and artifacts; no MLflow."""
