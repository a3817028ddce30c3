"""Notes of the requests that are being answered, and what follows from them after a crash."""

import os
from pathlib import Path

import pytest

from serving.errors import Code, ServingError
from serving.suspects import RequestWatch, SuspectList, take_notes


def _crash(folder: Path) -> set[int]:
    """Does what the supervisor does after the death of this process."""
    digests = take_notes(folder, os.getpid())
    SuspectList(folder).record(digests)
    return digests


def _refusal(watch: RequestWatch, *parts: bytes) -> ServingError:
    with pytest.raises(ServingError) as refused:
        watch.begin(*parts)
    return refused.value


def test_notes_are_of_the_unanswered_requests(tmp_path: Path) -> None:
    watch = RequestWatch(tmp_path)
    watch.end(watch.begin(b"path", b"answered"))
    watch.begin(b"path", b"a")
    watch.begin(b"path", b"b")

    assert len(take_notes(tmp_path, os.getpid())) == 2
    assert take_notes(tmp_path, os.getpid()) == set()


def test_request_is_refused_after_two_crashes(tmp_path: Path) -> None:
    RequestWatch(tmp_path).begin(b"path", b"deadly")
    _crash(tmp_path)
    RequestWatch(tmp_path).begin(b"path", b"deadly")
    _crash(tmp_path)
    watch = RequestWatch(tmp_path)

    error = _refusal(watch, b"path", b"deadly")
    watch.end(watch.begin(b"path", b"other"))

    assert error.code == Code.INVALID_ARGUMENT
    assert error.message == "this request ended 2 processes of the server, and is refused"


def test_crash_is_known_to_a_running_worker(tmp_path: Path) -> None:
    running = RequestWatch(tmp_path)
    _, digest = running.begin(b"path", b"deadly")
    for _ in range(2):
        SuspectList(tmp_path).record({digest})

    assert _refusal(running, b"path", b"deadly").code == Code.INVALID_ARGUMENT


def test_suspects_are_answered_one_at_a_time(tmp_path: Path) -> None:
    first = RequestWatch(tmp_path)
    first.begin(b"deadly")
    first.begin(b"innocent")
    _crash(tmp_path)
    watch = RequestWatch(tmp_path)

    note = watch.begin(b"innocent")
    error = _refusal(watch, b"deadly")
    watch.end(note)
    watch.begin(b"innocent")
    watch.begin(b"deadly")
    deadly = _crash(tmp_path)
    suspects = SuspectList(tmp_path)
    crashes = sorted(suspects.n_crashes(index) for index in suspects.read().values())

    assert error.code == Code.UNAVAILABLE
    assert len(deadly) == 2
    assert crashes == [1, 2]  # `innocent` was acquitted after the first crash


def test_suspect_is_answered_whose_entry_later_ones_have_taken(tmp_path: Path) -> None:
    RequestWatch(tmp_path).begin(b"old")
    _crash(tmp_path)
    watch = RequestWatch(tmp_path)
    note = watch.begin(b"old")
    SuspectList(tmp_path).record(set(range(1, 4097)))
    watch.end(watch.begin(b"other"))

    watch.end(note)

    assert len(SuspectList(tmp_path).read()) == 4096


def test_requests_beyond_the_slots_are_answered(tmp_path: Path) -> None:
    watch = RequestWatch(tmp_path)
    notes = [watch.begin(b"%d" % i) for i in range(5000)]

    assert len(take_notes(tmp_path, os.getpid())) == 4096
    for note in notes:
        watch.end(note)


def test_list_remembers_the_latest_suspects(tmp_path: Path) -> None:
    suspects = SuspectList(tmp_path)
    suspects.record(set(range(1, 4097)))
    suspects.record({5000})
    suspects.record({5001})
    suspects.record({5000})

    known = suspects.read()
    assert len(known) == 4096
    assert [suspects.n_crashes(known[digest]) for digest in (5000, 5001, 4096)] == [2, 1, 1]
