"""Requests that were being answered when a worker process died; no TensorFlow.

Each worker notes the digests of the requests that it is answering in a file. When it dies, the
supervisor counts a crash for each of them, in a file that all workers read. From then on such a
request is a suspect: one at a time is answered, so that the next crash convicts only the one that
causes it. A suspect that gets an answer is acquitted; one that ends a second process is refused.
"""

import mmap
import os
import struct
from hashlib import blake2b
from pathlib import Path

from serving.errors import Code, ServingError, invalid

_MAX_CRASHES = 2
"""Processes that a request may end before it is refused."""
_N_SLOTS = 4096
"""Requests that a worker can note at a time; those beyond it are answered without a note."""
_N_ENTRIES = 4096
"""Suspects that the supervisor remembers; then the oldest are overwritten."""
_DIGEST = struct.Struct("<Q")
_HEAD = struct.Struct("<QQ")
_ENTRY = struct.Struct("<QQ")
_FREE = 0
_NOT_NOTED = -1

Note = tuple[int, int]
"""What `RequestWatch.begin` gives to `end`: place of the note, and digest of the request."""


class SuspectList:
    """The suspects of a server and their crashes, in a file that supervisor and workers share.

    The file has a head, the number of changes and of entries made so far, then `_N_ENTRIES` entries
    of digest and crashes; all are uint64.
    """

    def __init__(self, folder: Path) -> None:
        """Opens the file in a folder, and makes it if it is missing."""
        self._map = _open_map(folder / "suspects", _HEAD.size + _N_ENTRIES * _ENTRY.size)

    @property
    def n_changes(self) -> int:
        """Number of `record` calls so far, in all processes."""
        return int(_HEAD.unpack_from(self._map)[0])

    def read(self) -> dict[int, int]:
        """Reads all suspects: the index of their entry by digest, without the acquitted ones."""
        entries = _ENTRY.iter_unpack(self._map[_HEAD.size :])
        return {digest: index for index, (digest, n_crashes) in enumerate(entries) if n_crashes}

    def n_crashes(self, index: int) -> int:
        """Returns the crashes of an entry."""
        return int(_ENTRY.unpack_from(self._map, self._offset(index))[1])

    def record(self, digests: set[int]) -> None:
        """Counts a crash for each of the digests."""
        known = self.read()
        n_changes, n_made = _HEAD.unpack_from(self._map)
        for digest in digests:
            if digest in known:
                self._write(known[digest], digest, self.n_crashes(known[digest]) + 1)
            else:
                self._write(n_made % _N_ENTRIES, digest, 1)
                n_made += 1
        _HEAD.pack_into(self._map, 0, n_changes + 1, n_made)

    def acquit(self, digest: int, index: int) -> None:
        """Forgets the crashes of a request that has been answered."""
        self._write(index, digest, 0)

    def _write(self, index: int, digest: int, n_crashes: int) -> None:
        _ENTRY.pack_into(self._map, self._offset(index), digest, n_crashes)

    def _offset(self, index: int) -> int:
        return _HEAD.size + index * _ENTRY.size


class RequestWatch:
    """Notes the requests that this process is answering, and refuses those that end processes."""

    def __init__(self, folder: Path) -> None:
        """Opens the files of this process in a folder that it shares with the supervisor."""
        self._list = SuspectList(folder)
        self._notes = _open_map(_notes_path(folder, os.getpid()), _N_SLOTS * _DIGEST.size)
        self._free = list(range(_N_SLOTS))
        self._suspects = self._list.read()
        self._n_changes = self._list.n_changes
        self._digest_on_trial: int | None = None

    def begin(self, *parts: bytes) -> Note:
        """Notes a request that is about to be answered.

        Args:
            parts: What the request consists of.

        Raises:
            ServingError: INVALID_ARGUMENT, if the request has ended two processes; UNAVAILABLE, if
                it has ended one and another suspect is being answered.
        """
        hasher = blake2b(digest_size=_DIGEST.size)
        for part in parts:
            hasher.update(part)
        digest = _DIGEST.unpack(hasher.digest())[0] or 1
        if self._list.n_changes != self._n_changes:
            self._n_changes, self._suspects = self._list.n_changes, self._list.read()
        if digest in self._suspects:
            self._try(digest)
        if not self._free:
            return _NOT_NOTED, digest
        slot = self._free.pop()
        self._write(slot, digest)
        return slot, digest

    def end(self, note: Note) -> None:
        """Removes the note of a request that has its answer, and acquits it if it was a suspect."""
        slot, digest = note
        if slot != _NOT_NOTED:
            self._write(slot, _FREE)
            self._free.append(slot)
        if digest == self._digest_on_trial:
            self._digest_on_trial = None
            index = self._suspects.pop(digest, None)
            if index is not None:  # later suspects may have taken its entry
                self._list.acquit(digest, index)

    def _try(self, digest: int) -> None:
        if self._list.n_crashes(self._suspects[digest]) >= _MAX_CRASHES:
            raise invalid(
                f"this request ended {_MAX_CRASHES} processes of the server, and is refused"
            )
        if self._digest_on_trial is not None:
            raise ServingError(
                Code.UNAVAILABLE, "a process of the server ended during this request; try again"
            )
        self._digest_on_trial = digest

    def _write(self, slot: int, digest: int) -> None:
        _DIGEST.pack_into(self._notes, slot * _DIGEST.size, digest)


def take_notes(folder: Path, pid: int) -> set[int]:
    """Returns the digests that a dead process has noted, and removes its file."""
    path = _notes_path(folder, pid)
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # it died before it was ready
        return set()
    path.unlink()
    return {digest for (digest,) in _DIGEST.iter_unpack(data)} - {_FREE}


def _notes_path(folder: Path, pid: int) -> Path:
    return folder / f"requests-{pid}"


def _open_map(path: Path, size: int) -> mmap.mmap:
    with path.open("a+b") as file:
        file.truncate(size)
        return mmap.mmap(file.fileno(), size)
