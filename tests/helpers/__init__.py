"""What several test files need, a module per subject, imported as `tests.helpers.<name>`.

The checkout and its command line
    paths                where the checkout and its configuration are
    config_files         small configurations, and the mistakes in them
    made_tables          CSV tables for `pipeline init`
    pages                pages of the documentation
    e2e_workspace        a state folder, and the command line over it

Data
    bytes_read           how many bytes the process reads
    checked_csv          CSV files as a run has checked them
    csv_examples         examples that an ExampleGen makes of CSV files
    data_checks          small CSV files, and what `check_data` says of them
    example_files        artifacts of examples in several files
    example_rows         raw rows of a finished run, as examples and tables
    measured_data        statistics, schemas and anomalies
    preprocessed         Transform over a table
    transformed_files    files of transformed examples
    task_data            transformed datasets of two classes, and of numbers
    training_data        a transformed dataset, and trainings on it
    sweeps               sweeps and their trials
    numbered_examples    transformed examples with numbers

Models
    model_graphs         graphs of a model_fn, and their NumPy oracles
    user_models          `model_fn`s of users
    user_preprocessing   a `preprocessing_fn` of a user
    exported_models      SavedModels that the trainer exports
    evaluated            the Evaluator over SavedModels
    taxi_template        the Estimator of TFX's taxi template

Runs and tracking
    graph_nodes          nodes of the graph
    mlmd_recorder        executions in MLMD
    history_run          recorded runs with events and artifacts
    tracked_run          events and artifacts of a small run
    projections          projections of single events
    written_runs         runs and trials in an MLflow store
    registered_models    versions and LoggedModels in an MLflow store
    tracker_processes    tracker processes
    mlflow_store         contents of MLflow stores
    mlflow_servers       MLflow, PostgreSQL and broken servers
    browser              Chromium

Serving
    pushed_models        models in a serving folder
    served_models        models with all signatures, and a server in a thread
    server_process       `pipeline serve` as a process
    grpc_client          gRPC requests
    rest_client          JSON requests by REST
    raw_http             HTTP requests and clients
"""
