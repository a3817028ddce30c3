"""`pipeline ui`: opens MLflow's user interface over the runs."""

import argparse

from pipeline.commands.options import (
    Commands,
    add_command,
    become,
    config_options,
    load,
    port_option,
)


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    add_command(
        commands,
        "ui",
        "open the MLflow UI over the runs",
        ui,
        parents=[config_options(), port_option(5000)],
        examples=["pipeline ui", "pipeline ui --port 5001"],
    )


def ui(options: argparse.Namespace) -> int:
    """Starts the UI over a store on disk; a tracking server has one, whose address is printed."""
    config = load(options)
    from tracking.uris import hide_credentials, is_server

    if not is_server(config.tracking_uri):
        store = f"--backend-store-uri={config.tracking_uri}"
        become("mlflow", "ui", store, "--host=127.0.0.1", f"--port={options.port}")
    uri = hide_credentials(config.tracking_uri)
    print(f"the runs are tracked by a server, which has the UI: {uri}")
    return 0
