"""Reads training curves from the event files of an Estimator while they grow, without TensorFlow.

Source of the format: TensorFlow's TFRecord. A record is its length (uint64), a checksum of the
length (4 bytes), its bytes, and a checksum of the bytes (4 bytes), all little-endian.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event

from tracking.projection.metric_direction import Direction, direction_of
from tracking.projection.names import entity_name

_HEADER = struct.Struct("<QI")
_CHECKSUM_BYTES = 4
EVENT_FILES = "events.out.tfevents.*"


@dataclass(frozen=True)
class Metric:
    """A point of a metric: value, step and time in milliseconds since the epoch."""

    key: str
    value: float
    step: int
    timestamp_ms: int


class CurveReader:
    """Reads the curves of one training, each point once."""

    def __init__(self) -> None:
        """Starts with nothing read."""
        self._offsets: dict[tuple[str, str], int] = {}

    def read(self, folder: Path) -> Iterator[Metric]:
        """Reads points that were written since the last call.

        Args:
            folder: Log folder of the training, as TensorBoard takes it: its event files, and those
                of its evaluations in `eval`. It may have been moved since the last call.

        Yields:
            Points `train/<tag>` and `eval/<tag>`, in the order of their files.
        """
        for mode, event_dir in (("train", folder), ("eval", folder / "eval")):
            for path in list_files(event_dir, EVENT_FILES):
                key = (mode, path.name)
                start = self._offsets.get(key, 0)
                records = _read_records(path, start)
                for record, end in records:
                    self._offsets[key] = end
                    yield from _points(record, mode)


def _read_records(path: Path, start: int) -> Iterator[tuple[bytes, int]]:
    """Reads complete records from an offset on, each with the offset of its end."""
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below)
    except FileNotFoundError:  # moved since it was listed
        return
    with file:
        file.seek(start)
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            length, _ = _HEADER.unpack(header)
            body = file.read(length + _CHECKSUM_BYTES)
            if len(body) < length + _CHECKSUM_BYTES:
                return
            start += _HEADER.size + len(body)
            yield body[:length], start


def _points(record: bytes, mode: str) -> Iterator[Metric]:
    event = Event.FromString(record)
    for value in event.summary.value:
        if value.HasField("simple_value"):
            key = entity_name(f"{mode}/{value.tag}")
            yield Metric(key, value.simple_value, event.step, round(event.wall_time * 1000))


def changed_since(unfinished_dir: str | Path, start_ms: int) -> Iterator[Path]:
    """Finds the trainings in progress among the unfinished ones.

    Args:
        unfinished_dir: Folder with one folder for each training.
        start_ms: When the node began, milliseconds since the epoch.

    Yields:
        Folders with an event file that was written to since then.
    """
    for folder in list_files(Path(unfinished_dir), "*"):
        files = list_files(folder, f"**/{EVENT_FILES}")
        if any(_modified_ms(path) >= start_ms for path in files):
            yield folder


def list_files(folder: Path, pattern: str) -> list[Path]:
    """Lists the files that match a pattern, sorted; empty if the folder is moved meanwhile."""
    try:
        return sorted(folder.glob(pattern))
    except FileNotFoundError:
        return []


def _modified_ms(path: Path) -> float:
    try:
        return path.stat().st_mtime * 1000
    except FileNotFoundError:  # moved since it was listed
        return -math.inf


def best_points(
    points: Iterable[Metric], directions: Mapping[str, Direction] | None = None
) -> Iterator[Metric]:
    """Picks the best evaluation of each metric whose direction is known.

    Args:
        points: Points of curves; those of evaluations are called `eval/<tag>`.
        directions: -1 by tag if lower is better, 1 if higher is better. For other tags, the name
            decides.

    Yields:
        `best_<tag>` with the value and time of the best point, the first one of several. The step
        is 0, as for all metrics that are not curves, so that MLflow draws bars.
    """
    best: dict[str, Metric] = {}
    for point in points:
        tag = point.key.removeprefix("eval/")
        sign = (directions or {}).get(tag, direction_of(tag))
        # NaN is not itself.
        if sign and point.key.startswith("eval/") and point.value == point.value:
            key = f"best_{tag}"
            if key not in best or sign * point.value > sign * best[key].value:
                best[key] = Metric(key, point.value, 0, point.timestamp_ms)
    yield from best.values()
