"""Processes that publish at the same time, or are killed."""

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from itertools import count, groupby
from pathlib import Path
from types import FrameType
from typing import Any

from components.pusher import versions as module
from components.pusher.versions import (
    PushRecord,
    digest_model,
    list_versions,
    locked,
    publish,
)

_FORK = multiprocessing.get_context("fork")  # spares each child the imports


def publish_again_and_again(model_dir: Path, push_dir: Path, times: int) -> None:
    for _ in range(times):
        with locked(push_dir):
            publish(model_dir, push_dir, PushRecord("by-a-child", digest_model(model_dir)))


def run_to_end(target: Callable[..., None], *arguments: Any) -> int | None:
    """Runs a function in another process, and returns the exit code."""
    process = _FORK.Process(target=target, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def assert_whole(push_dir: Path) -> None:
    """Asserts that every version is a complete copy of a pushed model."""
    for version in list_versions(push_dir):
        record = module.read_push(push_dir, version)
        assert record is not None
        assert digest_model(push_dir / str(version)) == record.model_digest


def test_pushes_at_once_give_each_its_own_version(model_dir: Path, push_dir: Path) -> None:
    arguments = (model_dir, push_dir, 10)
    children = [_FORK.Process(target=publish_again_and_again, args=arguments) for _ in range(4)]

    for child in children:
        child.start()
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0] * 4
    assert len(list_versions(push_dir)) == 40
    assert_whole(push_dir)
    assert sorted(os.listdir(push_dir))[0] == ".lock"
    assert len(os.listdir(push_dir)) == 41


_HARMLESS = {"fspath", "lstat", "scandir", "listdir", "stat", "fstat", "is_dir", "is_symlink"}


def die_at_call(model_dir: Path, push_dir: Path, number: int) -> None:
    """Publishes, and exits before the n-th call that changes files, like a killed process."""
    calls = count()

    def profile(_: FrameType, event: str, function: Any) -> None:
        of_system = getattr(function, "__module__", None) in ("posix", "fcntl", "io")
        is_change = of_system and function.__name__ not in _HARMLESS
        if event != "c_call" or not (is_change or function.__name__ == "write"):
            return
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(profile)
    publish_again_and_again(model_dir, push_dir, 1)
    sys.setprofile(None)


def test_publish_killed_at_any_call_leaves_no_part(
    model_dir: Path, push_dir: Path, tmp_path: Path
) -> None:
    old = publish(model_dir, push_dir, PushRecord("old", digest_model(model_dir)))
    shutil.copytree(model_dir, push_dir / ".tmp-1")  # the push removes it first
    before = shutil.copytree(push_dir, tmp_path / "before")
    (model_dir / "saved_model.pb").write_bytes(b"another graph")
    outcomes: list[tuple[int, int]] = []

    while (code := run_to_end(die_at_call, model_dir, push_dir, len(outcomes))) != 0:
        assert code == -signal.SIGKILL
        assert_whole(push_dir)
        assert list_versions(push_dir)[0] == old
        outcomes.append((len(list(push_dir.glob(".tmp-*"))), len(list_versions(push_dir))))
        shutil.rmtree(push_dir)
        shutil.copytree(before, push_dir)

    # Leftover present; leftover removed; copy present; copy renamed to the new version.
    assert [key for key, _ in groupby(outcomes)] == [(1, 1), (0, 1), (1, 1), (0, 2)]
    assert len(outcomes) > 40
    assert not list(push_dir.glob(".tmp-*"))


def test_publish_killed_at_any_time_leaves_no_part(model_dir: Path, push_dir: Path) -> None:
    for index in range(20):
        (model_dir / "variables" / f"shard-{index}").write_bytes(bytes(10_000))
    seen: set[str] = set()
    delays = random.Random(7)

    for _ in range(30):
        child = _FORK.Process(
            target=publish_again_and_again, args=(model_dir, push_dir, sys.maxsize)
        )
        child.start()
        time.sleep(delays.uniform(0.02, 0.1))
        child.kill()
        child.join()
        assert_whole(push_dir)
        seen |= {name[:4] for name in os.listdir(push_dir)}
        version = list_versions(push_dir)[-1:]
        publish_again_and_again(model_dir, push_dir, 1)
        assert list_versions(push_dir)[-1:] > version
        assert not list(push_dir.glob(".tmp-*"))

    assert ".tmp" in seen  # else no kill hit a push in progress
