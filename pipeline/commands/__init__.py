"""The commands of the command line: a file for each, with its parser and its handler.

Handlers load the configuration first and import what takes seconds after that, so that help,
version, completion and errors in the YAML answer at once. What they import is in a module beside
them (`comparison`, `promotion`, `schema_actions`, `mlflow_sync`, `model_server`) or in a package of
its own (`pipeline.init`, `pipeline.run`, `pipeline.predict`).
"""
