"""Imports without a search for garbage."""

import gc

import pytest

from tracking.quick_imports import quick_imports


def test_quick_imports_collects_nothing_inside_and_again_afterwards() -> None:
    with quick_imports():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_quick_imports_leaves_what_was_made_out_of_later_searches() -> None:
    with quick_imports():
        made: list[object] = [[]]

    assert all(made is not tracked for tracked in gc.get_objects())


def test_quick_imports_passes_an_error_on_and_collects_again() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError

    assert gc.isenabled()


def test_quick_imports_leaves_the_collector_off_where_it_was() -> None:
    gc.disable()
    try:
        with quick_imports():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()
