"""Warm-up of models."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.errors import ModelLoadError
from serving.models.columns import Column
from serving.models.engine import Arrays, Engine, Signature
from serving.models.warm_up import load_engine, warm_up
from tests.helpers.served_models import sign, write_graph, write_model

_V1 = tf.compat.v1


class RecordingEngine(Engine):
    """An engine that records its requests."""

    def __init__(self, model_dir: Path) -> None:
        super().__init__(model_dir)
        self.asked: list[tuple[str, Arrays]] = []

    def run(self, signature: Signature, inputs: Arrays) -> dict[str, np.ndarray]:
        self.asked.append((signature.name, inputs))
        return super().run(signature, inputs)

    def sizes(self) -> dict[str, list[int]]:
        sizes: dict[str, list[int]] = {}
        for name, inputs in self.asked:
            sizes.setdefault(name, []).append(np.shape(next(iter(inputs.values())))[:1] or 0)
        return sizes


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return write_model(tmp_path, 1)


def _write_requests(model_dir: Path, logs: Iterable[PredictionLog | bytes]) -> None:
    path = model_dir / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log if isinstance(log, bytes) else log.SerializeToString())


def _predict(signature: str, **inputs: object) -> PredictionLog:
    log = PredictionLog()
    log.predict_log.request.model_spec.signature_name = signature
    for name, values in inputs.items():
        log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return log


def _ask_of(kind: str, x: float) -> PredictionLog:
    log = PredictionLog()
    request = getattr(log, f"{kind}_log").request
    request.model_spec.signature_name = kind
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(x)
    return log


def test_warm_up_makes_up_an_example_and_a_batch(model_dir: Path) -> None:
    engine = RecordingEngine(model_dir)
    warm_up(engine, model_dir, {})
    sizes = engine.sizes()
    assert sizes.keys() == engine.signatures.keys()
    assert sizes["serving_default"] == sizes["columns"] == sizes["matrix"] == [(1,), (32,)]
    assert sizes["examples"] == [(1,)]  # a made-up request may be refused
    assert sizes["single"] == [0]


def test_warm_up_uses_typical_values_of_columns(model_dir: Path) -> None:
    engine = RecordingEngine(model_dir)
    warm_up(engine, model_dir, {"x": Column(example=5.0, required=True)})
    assert [inputs["x"].tolist() for name, inputs in engine.asked[:2]] == [[5.0], [5.0] * 32]
    sizes = engine.sizes()
    assert sizes["serving_default"] == [(1,), (32,)]
    # Signatures with one string input get them as a serialized example.
    assert sizes["examples"] == sizes["classify"] == sizes["regress"] == [(1,), (32,)]


def test_warm_up_fails_if_model_refuses_columns(model_dir: Path) -> None:
    with pytest.raises(
        ModelLoadError, match=r"of signature serving_default failed: .*x is negative"
    ):
        load_engine(model_dir, {"x": Column(example=-1.0, required=True)})


def test_warm_up_refuses_a_value_of_wrong_type(model_dir: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"columns.json: the example of x is not float32"):
        load_engine(model_dir, {"x": Column(example="five", required=True)})


def test_warm_up_serializes_columns_by_their_types(tmp_path: Path) -> None:
    spec = {
        "count": tf.io.FixedLenFeature([], tf.int64),
        "size": tf.io.FixedLenFeature([], tf.float32),
        "word": tf.io.FixedLenFeature([], tf.string),
    }
    with write_graph(tmp_path / "1") as signatures:
        raw = {name: _V1.placeholder(feature.dtype, [None]) for name, feature in spec.items()}
        serialized = _V1.placeholder(tf.string, [None])
        parsed = _V1.io.parse_example(serialized, spec)
        signatures["serving_default"] = sign(
            raw, {name: tf.identity(tensor) for name, tensor in raw.items()}
        )
        signatures["examples"] = sign({"examples": serialized}, parsed)
    columns = {
        "count": Column(example=3, required=True),
        "size": Column(example=1.5, required=True),
        "word": Column(example="h\u00f6h", required=True),
    }
    engine = RecordingEngine(tmp_path / "1")
    warm_up(engine, tmp_path / "1", columns)
    (request,) = (
        inputs
        for name, inputs in engine.asked
        if name == "examples" and len(inputs["examples"]) == 1
    )
    outputs = engine.run(engine.signatures["examples"], request)
    assert {name: values.tolist() for name, values in outputs.items()} == {
        "count": [3],
        "size": [1.5],
        "word": ["h\u00f6h".encode()],
    }


def test_warm_up_runs_the_requests_of_the_model(model_dir: Path) -> None:
    logs = [
        _predict("serving_default", x=np.float32([1, 2])),
        _predict("", x=np.float32([4])),
        _ask_of("classify", 0.25),
        _ask_of("regress", 2),
        PredictionLog(),
    ]
    _write_requests(model_dir, logs)
    engine = RecordingEngine(model_dir)
    warm_up(engine, model_dir, {})
    assert engine.sizes() == {
        "serving_default": [(2,), (32,), (1,)],
        "classify": [(1,), (32,)],
        "regress": [(1,), (32,)],
    }


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (
            _predict("serving_default", x=np.float32([-1])),
            "signature serving_default failed: .*negat",
        ),
        (_predict("serving_default", z=np.float32([1])), "Missing but required: {x}"),
        (_predict("none", x=np.float32([1])), "the model has no signature none"),
        (b"\xff\xff\xff", "tf_serving_warmup_requests: cannot be read"),
    ],
)
def test_warm_up_fails_if_a_request_fails(
    model_dir: Path, log: PredictionLog | bytes, message: str
) -> None:
    _write_requests(model_dir, [log])
    with pytest.raises(ModelLoadError, match=message) as error:
        load_engine(model_dir, {})
    assert str(model_dir) not in str(error.value)


def test_warm_up_fails_with_a_broken_file(model_dir: Path) -> None:
    _write_requests(model_dir, [_predict("serving_default", x=np.float32([1]))])
    path = model_dir / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ModelLoadError, match="tf_serving_warmup_requests: cannot be read") as error:
        load_engine(model_dir, {})
    assert str(model_dir) not in str(error.value)
