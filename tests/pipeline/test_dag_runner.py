"""What is done between the nodes of a run."""

import psutil

from pipeline.dag_runner import return_free_memory


def test_free_memory_is_returned_though_some_above_it_is_in_use() -> None:
    process = psutil.Process()
    blocks = [bytes(10_000) for _ in range(20_000)]
    in_use = blocks[::100]
    del blocks
    before = process.memory_info().rss

    return_free_memory()

    assert before - process.memory_info().rss > 100e6
    assert len(in_use) == 200
