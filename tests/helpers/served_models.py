"""Small models with signatures of all kinds, and a server in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
import uvloop

from serving.models.columns import Column, write_columns
from serving.server import Server
from serving.settings import ServingSettings

_V1 = tf.compat.v1
_METHOD = "tensorflow/serving/"
WORDS = [b"low", b"high"]


def write_model(folder: Path, version: int, *, shift: float = 2.0) -> Path:
    """Writes a version of a model; y = x / 2 + shift, as in TensorFlow Serving's half_plus_two.

    Signatures, `[n]` unless said otherwise, float32:

        serving_default   x -> y; fails with INVALID_ARGUMENT if x is negative
        columns           number, word (string) -> scores [n, 2], classes [n, 2] (string),
                          word_bytes (the word again), length (int64, of the word)
        matrix            x [n, 2] -> y [n, 2]
        ragged            x [n, any] -> total
        single            x [] -> y []
        classify          inputs (serialized examples of x) -> scores [n, 2], classes [n, 2]
        regress           inputs (serialized examples of x) -> outputs [n, 1]
        examples          examples (the same) -> y
    """
    path = folder / str(version)
    with write_graph(path) as signatures:
        slope = _V1.get_variable("slope", initializer=0.5)
        x = _V1.placeholder(tf.float32, [None], "x")
        with tf.control_dependencies([_V1.assert_non_negative(x, message="x is negative")]):
            y = tf.add(x * slope, shift, "y")
        number = _V1.placeholder(tf.float32, [None], "number")
        word = _V1.placeholder(tf.string, [None], "word")
        scores = tf.stack([number, 1 - number], 1)
        classes = tf.tile(tf.constant([WORDS]), [tf.size(number), 1])
        matrix = _V1.placeholder(tf.float32, [None, 2], "matrix")
        ragged = _V1.placeholder(tf.float32, [None, None], "ragged")
        single = _V1.placeholder(tf.float32, [], "single")
        serialized = _V1.placeholder(tf.string, [None], "serialized")
        parsed = _V1.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]
        parsed_scores = tf.stack([parsed, 1 - parsed], 1)
        parsed_classes = tf.tile(tf.constant([WORDS]), [tf.size(parsed), 1])
        signatures |= {
            "serving_default": sign({"x": x}, {"y": y}),
            "columns": sign(
                {"number": number, "word": word},
                {
                    "scores": scores,
                    "classes": classes,
                    "word_bytes": tf.identity(word),
                    "length": tf.cast(tf.strings.length(word), tf.int64),
                },
            ),
            "matrix": sign({"x": matrix}, {"y": matrix * slope + shift}),
            "ragged": sign({"x": ragged}, {"total": tf.reduce_sum(ragged, 1)}),
            "single": sign({"x": single}, {"y": single * slope + shift}),
            "classify": sign(
                {"inputs": serialized},
                {"scores": parsed_scores, "classes": parsed_classes},
                "classify",
            ),
            "regress": sign(
                {"inputs": serialized}, {"outputs": (parsed * slope + shift)[:, None]}, "regress"
            ),
            "examples": sign({"examples": serialized}, {"y": parsed * slope + shift}),
        }
    return path


@contextlib.contextmanager
def write_graph(path: Path, tag: str = "serve") -> Iterator[dict[str, object]]:
    """Saves the graph built in the `with` block, with the signatures added to the yielded dict."""
    signatures: dict[str, object] = {}
    with tf.Graph().as_default(), _V1.Session() as session:
        yield signatures
        session.run(_V1.global_variables_initializer())
        builder = _V1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, [tag], signature_def_map=signatures)
        builder.save()


def write_network(folder: Path, version: int, *, seed: int = 0) -> Path:
    """Writes a network of two layers: x [n, 4] -> probabilities [n, 3]."""
    path = folder / str(version)
    random = np.random.default_rng(seed)
    with write_graph(path) as signatures:
        x = _V1.placeholder(tf.float32, [None, 4], "x")
        hidden = tf.nn.relu(x @ _variable("w1", random.normal(size=[4, 16])))
        logits = hidden @ _variable("w2", random.normal(size=[16, 3]))
        signatures["serving_default"] = sign({"x": x}, {"probabilities": tf.nn.softmax(logits)})
    return path


def _variable(name: str, values: object) -> tf.Variable:
    return _V1.get_variable(name, initializer=np.asarray(values, np.float32))


def write_classifier(
    folder: Path, version: int, columns: Mapping[str, Column], *, names: tuple[str, str]
) -> Path:
    """Writes a classifier with two classes, with the files that the pipeline pushes.

    `serving_default` takes a number, which is the probability of the first class, and a string,
    which is ignored; `names` are their names.
    """
    path = folder / str(version)
    with write_graph(path) as signatures:
        number = _V1.placeholder(tf.float32, [None], "number")
        word = _V1.placeholder(tf.string, [None], "word")
        probabilities = tf.stack([number, 1 - number + 0 * tf.cast(tf.size(word), tf.float32)], 1)
        class_ids = tf.argmax(probabilities, 1)[:, None]
        outputs = {
            "class_ids": class_ids,
            "classes": tf.gather(tf.constant(WORDS), class_ids),
            "probabilities": probabilities,
        }
        inputs = dict(zip(names, (number, word), strict=True))
        signatures["serving_default"] = sign(inputs, outputs)
    write_columns(columns, path)
    (path / "assets.extra" / "classes").write_bytes(b"\n".join(WORDS))
    return path


def write_wide(folder: Path, version: int, n_columns: int) -> Path:
    """Writes a model of numbers `c0`, `c1`, ..., each from 0 to 1, that returns their mean.

    Its columns are stacked, as in a model that the pipeline exports.
    """
    path = folder / str(version)
    names = [f"c{index}" for index in range(n_columns)]
    with write_graph(path) as signatures:
        inputs = {name: _V1.placeholder(tf.float32, [None], name) for name in names}
        table = tf.stack(list(inputs.values()), axis=1)
        signatures["serving_default"] = sign(inputs, {"mean": tf.reduce_mean(table, axis=1)})
    write_columns({name: Column(0.5, required=True, min=0, max=1) for name in names}, path)
    return path


def sign(
    inputs: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor], method: str = "predict"
) -> object:
    info = _V1.saved_model.build_tensor_info
    return _V1.saved_model.build_signature_def(
        {name: info(tensor) for name, tensor in inputs.items()},
        {name: info(tensor) for name, tensor in outputs.items()},
        _METHOD + method,
    )


class ServerThread:
    """A server in a thread, on free ports: `with ServerThread(folders) as server`."""

    def __init__(
        self, folders: Mapping[str, Path], settings: ServingSettings | None = None
    ) -> None:
        settings = settings or ServingSettings()
        self._settings = settings.model_copy(update={"rest_port": 0, "grpc_port": 0})
        self._folders = folders
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "ServerThread":
        self._thread.start()
        assert self._is_up.wait(60)
        self.url = f"http://127.0.0.1:{self.server.rest_port}"
        self.grpc_address = f"127.0.0.1:{self.server.grpc_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        loop = uvloop.new_event_loop()
        loop.run_until_complete(self._serve())
        loop.close()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.server = Server(self._folders, self._settings)
        await self.server.start()
        self._is_up.set()
        await self._stop.wait()
        await self.server.stop()
