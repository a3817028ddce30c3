"""Imports without garbage collection."""

import gc

import pytest

from tracking.quick_imports import quick_imports


def test_quick_imports_disables_collection_inside() -> None:
    with quick_imports():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_quick_imports_freezes_new_objects() -> None:
    with quick_imports():
        made: list[object] = [[]]

    assert all(made is not tracked for tracked in gc.get_objects())


def test_quick_imports_restores_after_an_error() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError

    assert gc.isenabled()


def test_quick_imports_keeps_a_disabled_collector() -> None:
    gc.disable()
    try:
        with quick_imports():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
