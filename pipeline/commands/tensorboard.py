"""`pipeline tensorboard`: opens TensorBoard on the last training."""

import argparse

from pipeline.commands.options import (
    Commands,
    add_command,
    become,
    config_options,
    load,
    port_option,
)
from pipeline.errors import StateError


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    add_command(
        commands,
        "tensorboard",
        "open TensorBoard on the last training",
        tensorboard,
        parents=[config_options(), port_option(6006)],
        examples=["pipeline tensorboard", "pipeline tensorboard --port 6007"],
    )


def tensorboard(options: argparse.Namespace) -> int:
    """Starts TensorBoard on the training curves of the newest Trainer execution."""
    config = load(options)
    runs = config.pipeline_root.joinpath("Trainer", "model_run").glob("*/")
    trained = [run for run in runs if run.name.isdecimal()]
    if not trained:
        raise StateError(f"{config.root_dir}: no run of '{config.name}' has trained a model yet")
    logdir = max(trained, key=lambda run: int(run.name))
    become("tensorboard", f"--logdir={logdir}", "--host=127.0.0.1", f"--port={options.port}")
