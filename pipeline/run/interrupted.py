"""Files of a run that are not artifacts: curves of an interrupted training, and samples."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from tracking.events import Samples, read_events
from tracking.projection.event_files import EVENT_FILES, changed_since

_OUTPUT_OF_NODE = {"Trainer": "model_run", "Tuner": "tuner_results"}
"""Nodes that train, with the output whose folder holds `unfinished` beside the executions."""
_KEPT_FILES = (EVENT_FILES, "trial.json")


def unfinished_dir(pipeline_root: Path, node_id: str) -> Path | None:
    """Names the folder of a node's unfinished trainings; None if the node does not train."""
    output = _OUTPUT_OF_NODE.get(node_id)
    return pipeline_root / node_id / output / "unfinished" if output else None


def keep_unfinished(
    pipeline_root: Path, node_id: str, pipeline_run_id: str, start_ms: int
) -> str | None:
    """Copies the curves of a training that did not end, before another run resumes it.

    Args:
        pipeline_root: Root folder of the artifacts.
        node_id: The node.
        pipeline_run_id: The run.
        start_ms: When the run began, milliseconds since the epoch.

    Returns:
        The folder of the copies, None if there are none.
    """
    folder = unfinished_dir(pipeline_root, node_id)
    if folder is None:
        return None
    kept = pipeline_root / node_id / "interrupted" / _file_name(pipeline_run_id)
    for training in changed_since(folder, start_ms):
        for pattern in _KEPT_FILES:
            for path in training.rglob(pattern):
                target = kept / path.relative_to(training)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
    return str(kept) if kept.exists() else None


def samples_path(pipeline_root: Path, pipeline_run_id: str) -> Path:
    """Names the file of a run's samples, one JSON line each."""
    return pipeline_root / "samples" / f"{_file_name(pipeline_run_id)}.jsonl"


def read_samples(pipeline_root: Path, pipeline_run_id: str) -> Iterator[Samples]:
    """Reads a run's samples; a last line that was cut off is left out."""
    path = samples_path(pipeline_root, pipeline_run_id)
    if path.exists():
        whole_lines = (
            line for line in path.read_text("utf-8").splitlines(True) if line[-1] == "\n"
        )
        for event in read_events(whole_lines):
            assert isinstance(event, Samples)
            yield event


def _file_name(pipeline_run_id: str) -> str:
    return pipeline_run_id.replace(":", "-")
