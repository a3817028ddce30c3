"""Training curves: the event files of an Estimator, read while they grow, without TensorFlow.

Source of the format: TensorFlow's TFRecord, a record being its length (uint64), a checksum of that
(4 bytes), its bytes, and a checksum of those (4 bytes), all little-endian.
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
        """Begins with nothing read."""
        self._offsets: dict[tuple[str, str], int] = {}

    def read(self, folder: Path) -> Iterator[Metric]:
        """Reads what has been written since the last call.

        Args:
            folder: What TensorBoard would be given: event files of the training in it, those of the
                evaluations in `eval`. It may have been moved meanwhile.

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
    """Reads whole records from an offset on, each with the offset behind it."""
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
    """Finds the training that goes on among those that were left unfinished.

    Args:
        unfinished_dir: Folder with a folder for each training.
        start_ms: When it began or was resumed, milliseconds since the epoch.

    Yields:
        Folders with an event file that has been written to since.
    """
    for folder in list_files(Path(unfinished_dir), "*"):
        files = list_files(folder, f"**/{EVENT_FILES}")
        if any(_modified_ms(path) >= start_ms for path in files):
            yield folder


def list_files(folder: Path, pattern: str) -> list[Path]:
    """Lists what fits a pattern, in order; nothing of a folder that is moved away meanwhile."""
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
    """Picks the best evaluation of each metric that has a better and a worse.

    Args:
        points: Points of curves, `eval/<tag>` among them.
        directions: -1 or 1 by tag, if less or more is better, where the name need not say.

    Yields:
        `best_<tag>` with the value and time of the best point; the first where several are as good.
        The step is 0, as of all that are no curves, which MLflow draws as bars.
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
