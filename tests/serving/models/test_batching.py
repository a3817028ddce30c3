"""Merging of requests into batches."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import Code, ServingError
from serving.models.batching import Batcher, Outputs
from serving.models.engine import Arrays, Engine, Signature
from serving.settings import BatchingSettings
from tests.helpers.served_models import sign, write_graph, write_model, write_network


class GatedEngine(Engine):
    """An engine whose runs wait until the gate is open.

    Attributes:
        gate: Lets runs begin while it is set.
        threads: The thread of each run.
    """

    gate = threading.Event()
    threads: ClassVar[list[int]] = []

    def run(self, signature: Signature, inputs: Arrays) -> Outputs:
        self.gate.wait(60)
        self.threads.append(threading.get_ident())
        return super().run(signature, inputs)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> GatedEngine:
    return GatedEngine(write_model(tmp_path_factory.mktemp("half"), 1))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> GatedEngine:
    return GatedEngine(write_network(tmp_path_factory.mktemp("network"), 1))


class Bench:
    """A batcher that records the sizes of its batches."""

    def __init__(self, engine: GatedEngine, **settings: int) -> None:
        self.engine = engine
        self.sizes: list[int] = []
        self.batcher = Batcher(engine, BatchingSettings(**settings), self.on_batch)

    def on_batch(self, signature: Signature, inputs: Arrays, n: int, seconds: float) -> None:
        assert seconds >= 0
        self.sizes.append(n)

    def ask(self, signature: str = "serving_default", **inputs: object) -> asyncio.Future[Outputs]:
        known = self.engine.signatures[signature]
        arrays = {
            name: np.asarray(values, known.inputs[name].numpy_dtype)
            for name, values in inputs.items()
        }
        n_examples = known.check(arrays)
        return self.batcher.submit(known, arrays, n_examples)

    async def ask_first(self) -> asyncio.Future[Outputs]:
        """Sends a request that keeps the model busy until the gate is open."""
        if "single" in self.engine.signatures:
            first = self.ask("single", x=0)
        else:
            first = self.ask(x=np.zeros([1, 4]))
        await asyncio.sleep(0.05)
        return first


def _run(
    engine: GatedEngine, test: Callable[[Bench], Awaitable[None]], **settings: int
) -> list[int]:
    """Runs a test; returns the sizes of the batches."""

    async def run() -> list[int]:
        bench = Bench(engine, **settings)
        engine.gate.clear()
        try:
            await test(bench)
        finally:
            engine.gate.set()
            await asyncio.wait_for(bench.batcher.close(), 30)
        assert bench.batcher.n_waiting == 0
        return bench.sizes

    return asyncio.run(run())


def test_batcher_merges_waiting_requests(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[2.0 * i] * (i + 1)) for i in range(4)]
        engine.gate.set()
        answers = await asyncio.gather(*futures)
        assert [a["y"].tolist() for a in answers] == [[2.0 + i] * (i + 1) for i in range(4)]

    assert _run(engine, test) == [1, 10]


def test_batcher_does_not_wait_for_others(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        engine.gate.set()
        assert (await bench.ask(x=[2]))["y"] == [3]
        assert (await bench.ask(x=[4]))["y"] == [4]

    assert _run(engine, test) == [1, 1]


def test_small_quick_batch_runs_on_the_event_loop(engine: GatedEngine) -> None:
    here = threading.get_ident()

    async def test(bench: Bench) -> None:
        engine.gate.set()
        for _ in range(20):  # until the model is known to be quick
            await bench.ask(x=[2])
        engine.threads.clear()
        answers = await asyncio.gather(*(bench.ask(x=[2.0 * i]) for i in range(8)))
        assert [answer["y"].tolist() for answer in answers] == [[2.0 + i] for i in range(8)]
        assert (engine.threads, bench.sizes[-1]) == ([here], 8)

        await bench.ask(x=[2] * 65)
        assert here not in engine.threads[1:]

    _run(engine, test)


def test_single_request_runs_at_once(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        engine.gate.set()
        for i in range(4):
            bench.batcher._seconds["serving_default"] = 0  # a quick model
            future = bench.ask(x=[i])
            await asyncio.sleep(0)
            assert future.result()["y"] == [i / 2 + 2]

    assert _run(engine, test) == [1] * 4


def test_batcher_collects_requests_after_a_merge(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        engine.gate.set()
        bench.batcher._seconds["serving_default"] = 0  # a quick model
        await asyncio.gather(bench.ask(x=[0]), bench.ask(x=[1]))
        assert bench.sizes == [2]
        for n_turns in (10, 20):
            bench.batcher._seconds["serving_default"] = 0
            futures = []
            for i in range(4):
                futures.append(bench.ask(x=[i]))
                for _ in range(n_turns):
                    await asyncio.sleep(0)
            answers = await asyncio.gather(*futures)
            assert [answer["y"].tolist() for answer in answers] == [[i / 2 + 2] for i in range(4)]

    assert _run(engine, test)[1:3] == [4, 1]


def test_lone_requests_shorten_the_collecting(engine: GatedEngine) -> None:
    n_turns = []

    async def test(bench: Bench) -> None:
        engine.gate.set()
        bench.batcher._seconds["serving_default"] = 0  # a quick model
        await asyncio.gather(bench.ask(x=[0]), bench.ask(x=[1]))
        for _ in range(18):
            bench.batcher._seconds["serving_default"] = 0
            future = bench.ask(x=[0])
            n_turns.append(0)
            while not future.done():
                await asyncio.sleep(0)
                n_turns[-1] += 1

    _run(engine, test)
    assert n_turns == [*range(16, 0, -1), 1, 1]


def test_batcher_collects_at_most_a_batch(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        engine.gate.set()
        bench.batcher._seconds["serving_default"] = 0  # a quick model
        await asyncio.gather(bench.ask(x=[0]), bench.ask(x=[1]))
        bench.batcher._seconds["serving_default"] = 0
        futures = []
        for i in range(6):
            futures.append(bench.ask(x=[i]))
            await asyncio.sleep(0)
        assert not futures[0].done()
        for i in range(3):
            futures.append(bench.ask(x=[i]))
            await asyncio.sleep(0)
        assert futures[0].done()
        await asyncio.gather(*futures)

    assert _run(engine, test, max_batch_size=8)[1] == 8


def test_batched_row_equals_single_row(network: GatedEngine) -> None:
    rows = np.random.default_rng(0).normal(size=[200, 1, 4]).astype(np.float32)

    async def test(bench: Bench) -> None:
        first = await bench.ask_first()
        futures = [bench.ask(x=row) for row in rows]
        network.gate.set()
        await first
        merged = [answer["probabilities"] for answer in await asyncio.gather(*futures)]
        alone = [(await bench.ask(x=row))["probabilities"] for row in rows]
        # The products of a matrix and of a vector may be summed in a different order.
        np.testing.assert_allclose(merged, alone, rtol=1e-5, atol=1e-7)

    assert _run(network, test)[:2] == [1, 200]


def test_batched_row_has_the_same_bits(engine: GatedEngine) -> None:
    rows = np.random.default_rng(0).uniform(0, 9, size=[100, 1]).astype(np.float32)

    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=row) for row in rows]
        engine.gate.set()
        merged = [answer["y"].tobytes() for answer in await asyncio.gather(*futures)]
        assert merged == [(await bench.ask(x=row))["y"].tobytes() for row in rows]

    assert _run(engine, test)[:2] == [1, 100]


def test_bad_request_fails_alone(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[-1 if i in (3, 17) else i]) for i in range(20)]
        engine.gate.set()
        answers = await asyncio.gather(*futures, return_exceptions=True)
        for i, answer in enumerate(answers):
            if i in (3, 17):
                assert isinstance(answer, ServingError)
                assert answer.code == Code.INVALID_ARGUMENT
            else:
                assert answer["y"] == [i / 2 + 2]

    assert sum(_run(engine, test)) == 1 + 18


def test_batcher_separates_signatures_and_shapes(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = []
        for i in range(3):
            futures += [bench.ask(x=[i]), bench.ask("matrix", x=[[i, i]])]
            futures += [bench.ask("ragged", x=[[i]]), bench.ask("ragged", x=[[i, i]])]
            futures += [bench.ask("single", x=i)]
        engine.gate.set()
        answers = await asyncio.gather(*futures)
        assert [answer["total"].tolist() for answer in answers[2::5]] == [[0], [1], [2]]
        assert [answer["total"].tolist() for answer in answers[3::5]] == [[0], [2], [4]]
        assert [answer["y"].tolist() for answer in answers[4::5]] == [2.0, 2.5, 3.0]

    assert sorted(_run(engine, test)) == [1, 1, 1, 1, 3, 3, 3, 3]


def test_large_requests_run_alone(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[i] * n) for i, n in enumerate([3, 20, 4, 8, 1])]
        engine.gate.set()
        answers = await asyncio.gather(*futures)
        assert [len(answer["y"]) for answer in answers] == [3, 20, 4, 8, 1]

    assert _run(engine, test, max_batch_size=8) == [1, 3, 20, 4, 8, 1]


def test_requests_without_examples_are_answered(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[2] * n) for n in (0, 1, 0, 2)]
        engine.gate.set()
        answers = await asyncio.gather(*futures)
        assert [answer["y"].tolist() for answer in answers] == [[], [3], [], [3, 3]]
        assert (await bench.ask(x=[]))["y"].tolist() == []

    assert _run(engine, test) == [1, 3, 0]


def test_full_queue_refuses_then_recovers(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[i]) for i in range(7)]
        for n in (1, 5, 100):
            with pytest.raises(ServingError, match="8 examples are waiting already") as error:
                bench.ask(x=[1] * n)
            assert error.value.code == Code.RESOURCE_EXHAUSTED
        engine.gate.set()
        await asyncio.gather(*futures)
        assert (await bench.ask(x=[2] * 100))["y"].tolist() == [3] * 100  # the queue is empty

    _run(engine, test, max_batch_size=4, max_enqueued_batches=2)


def test_cancelled_request_does_not_run(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        first = await bench.ask_first()
        futures = [bench.ask(x=[i]) for i in range(4)]
        futures[1].cancel()
        futures[3].cancel()
        engine.gate.set()
        await first
        assert (await futures[0])["y"] == [2]
        assert (await futures[2])["y"] == [3]

    assert _run(engine, test) == [1, 2]


def test_close_answers_waiting_requests(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        await bench.ask_first()
        futures = [bench.ask(x=[i]) for i in range(30)]
        closing = asyncio.ensure_future(bench.batcher.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        engine.gate.set()
        await asyncio.wait_for(closing, 30)
        assert [future.result()["y"][0] for future in futures] == [i / 2 + 2 for i in range(30)]

    _run(engine, test, max_batch_size=4, num_batch_threads=3)


def test_batcher_runs_in_several_threads(engine: GatedEngine) -> None:
    async def test(bench: Bench) -> None:
        futures = [bench.ask("single", x=i) for i in range(3)]
        await asyncio.sleep(0.05)
        busy = bench.batcher._queue.qsize() + len(bench.batcher._waiting)
        assert busy == 1  # two are running
        engine.gate.set()
        answers = await asyncio.gather(*futures)
        assert [answer["y"] for answer in answers] == [2, 2.5, 3]

    _run(engine, test, num_batch_threads=2, max_batch_size=1)


def test_batcher_survives_an_unexpected_error(
    engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("secret")

    async def test(bench: Bench) -> None:
        engine.gate.set()
        with monkeypatch.context() as patch:
            patch.setattr(engine, "run", fail)
            futures = [bench.ask(x=[i]) for i in range(3)]
            for answer in await asyncio.gather(*futures, return_exceptions=True):
                assert isinstance(answer, ServingError)
                assert answer.code == Code.INTERNAL
                assert "secret" not in answer.message
        assert (await bench.ask(x=[2]))["y"] == [3]

    _run(engine, test)


def test_batcher_answers_if_on_batch_fails(
    engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bench, "on_batch", lambda *_: 1 / 0)

    async def test(bench: Bench) -> None:
        engine.gate.set()
        assert (await bench.ask(x=[2]))["y"] == [3]
        assert (await bench.ask(x=[4]))["y"] == [4]

    _run(engine, test)


def test_unmergeable_signature_runs_alone(tmp_path: Path) -> None:
    with write_graph(tmp_path / "1") as signatures:
        x = tf.compat.v1.placeholder(tf.float32, [None])
        unique = tf.unique(x).y
        signatures["serving_default"] = sign({"x": x}, {"unique": unique})
        single = tf.compat.v1.placeholder(tf.float32, [])
        signatures["single"] = sign({"x": single}, {"y": single * 2})
    engine = GatedEngine(tmp_path / "1")
    assert engine.signatures["serving_default"].is_batched  # according to its shapes

    async def test(bench: Bench) -> None:
        for _ in range(2):
            engine.gate.clear()
            await bench.ask_first()
            futures = [bench.ask(x=[5, 5]) for _ in range(4)]
            engine.gate.set()
            answers = await asyncio.gather(*futures)
            assert [answer["unique"].tolist() for answer in answers] == [[5]] * 4

    assert _run(engine, test) == [1, 2, 2, 2, 2] * 2
