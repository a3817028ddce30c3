"""Trains and evaluates an Estimator."""
