"""Loading of SavedModels, and running their signatures."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import Code, ModelLoadError, ServingError
from serving.models.engine import Engine, first_line
from tests.helpers.served_models import sign, write_graph, write_model

_V1 = tf.compat.v1


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("half"), 1)


@pytest.fixture(scope="module")
def engine(model_dir: Path) -> Engine:
    return Engine(model_dir)


def _ask(engine: Engine, signature: str, **inputs: object) -> dict[str, np.ndarray]:
    return engine.run(engine.signatures[signature], inputs)


def test_engine_runs_each_signature(engine: Engine) -> None:
    x = np.array([2.0, 4.0], np.float32)
    assert _ask(engine, "serving_default", x=x)["y"].tolist() == [3.0, 4.0]
    words = np.array([b"low", "h\u00f6her".encode()], object)
    outputs = _ask(engine, "columns", number=x, word=words)
    assert list(outputs) == ["classes", "length", "scores", "word_bytes"]
    assert outputs["length"].tolist() == [3, 6]
    assert outputs["word_bytes"].tolist() == words.tolist()
    assert _ask(engine, "single", x=np.array(2.0, np.float32))["y"] == 3.0


def test_engine_hides_signatures_of_the_loader(model_dir: Path) -> None:
    assert not [name for name in Engine(model_dir).signatures if name.startswith("__")]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda path: (path / "saved_model.pb").unlink(),
            "saved_model.pb: cannot be read: No such",
        ),
        (lambda path: _truncate(path / "saved_model.pb"), "saved_model.pb: is not a SavedModel"),
        (lambda path: (path / "saved_model.pb").write_bytes(b"\xff" * 99), "is not a SavedModel"),
        (lambda path: (path / "saved_model.pb").write_bytes(b""), "has no graph with the tag"),
        (lambda path: shutil.rmtree(path / "variables"), "cannot be loaded: "),
        (lambda path: _truncate(path / "variables/variables.index"), "cannot be loaded: "),
        (lambda path: _empty(path / "variables/variables.data-00000-of-00001"), "cannot be loaded"),
        (shutil.rmtree, "saved_model.pb: cannot be read"),
    ],
)
def test_engine_refuses_a_broken_folder(
    model_dir: Path, tmp_path: Path, damage: object, message: str
) -> None:
    path = tmp_path / "2"
    shutil.copytree(model_dir, path)
    damage(path)
    with pytest.raises(ModelLoadError, match=message) as error:
        Engine(path)
    assert str(tmp_path) not in str(error.value)
    assert "\n" not in str(error.value)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def test_engine_refuses_a_graph_without_the_tag(tmp_path: Path) -> None:
    with write_graph(tmp_path / "1", tag="train") as signatures:
        x = _V1.placeholder(tf.float32, [None])
        signatures["serving_default"] = sign({"x": x}, {"y": x * 2})
    with pytest.raises(ModelLoadError, match="has no graph with the tag 'serve'"):
        Engine(tmp_path / "1")


@pytest.mark.parametrize("in_function", [False, True])
def test_engine_refuses_a_graph_that_reads_files(tmp_path: Path, in_function: bool) -> None:
    read = tf.io.read_file
    with write_graph(tmp_path / "1") as signatures:
        name = _V1.placeholder(tf.string, [])
        y = tf.function(read)(name) if in_function else read(name)
        signatures["serving_default"] = sign({"name": name}, {"y": y})
    with pytest.raises(ModelLoadError, match="holds ops that access files or run Python: ReadFile"):
        Engine(tmp_path / "1")


def test_engine_runs_control_flow_of_tensorflow_1(tmp_path: Path) -> None:
    with write_graph(tmp_path / "1") as signatures:
        x = _V1.placeholder(tf.float32, [None])
        switch, merge = tf.raw_ops.Switch, tf.raw_ops.Merge
        is_large = tf.reduce_sum(x) > 10
        small, large = switch(data=x, pred=is_large)
        y = merge(inputs=[small * 2, large * 3]).output
        signatures["serving_default"] = sign({"x": x}, {"y": y})
    engine = Engine(tmp_path / "1")
    assert _ask(engine, "serving_default", x=np.float32([1, 2]))["y"].tolist() == [2, 4]
    assert _ask(engine, "serving_default", x=np.float32([10, 2]))["y"].tolist() == [30, 6]


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("serving_default", {}, "Sent extra: {}. Missing but required: {x}."),
        ("serving_default", {"x": np.float32([1]), "z": np.float32([1])}, "Sent extra: {z}"),
        ("serving_default", {"x": np.float64([1])}, "has type float64, expected float32"),
        ("serving_default", {"x": np.array(["a"])}, "has type <U1, expected float32"),
        ("serving_default", {"x": np.array([1], ">f4")}, "has type >f4, expected float32"),
        ("serving_default", {"x": np.float32(1)}, r"has shape \[\], expected \[-1\]"),
        ("matrix", {"x": np.zeros([1, 3], np.float32)}, r"has shape \[1, 3\], expected \[-1, 2\]"),
        ("single", {"x": np.float32([1])}, r"has shape \[1\], expected \[\]"),
        (
            "columns",
            {"number": np.float32([1, 2]), "word": np.array([b"a"], object)},
            "input word: has 1 examples, another input 2",
        ),
    ],
)
def test_signature_check_refuses_wrong_inputs(
    engine: Engine, signature: str, inputs: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ServingError, match=message) as error:
        engine.signatures[signature].check(inputs)
    assert error.value.code == Code.INVALID_ARGUMENT


def test_signature_check_counts_examples(engine: Engine) -> None:
    check = engine.signatures["serving_default"].check
    assert [check({"x": np.zeros(n, np.float32)}) for n in (0, 1, 7)] == [0, 1, 7]
    assert engine.signatures["single"].check({"x": np.zeros([], np.float32)}) == 1


def test_signature_batching_follows_shapes(engine: Engine) -> None:
    unbatched = [name for name, s in engine.signatures.items() if not s.is_batched]
    assert unbatched == ["single"]
    free = [name for name, s in engine.signatures.items() if s.has_free_sizes]
    assert free == ["ragged"]


def test_engine_error_contains_no_values(engine: Engine) -> None:
    with pytest.raises(ServingError) as error:
        _ask(engine, "serving_default", x=np.float32([-123.5]))
    assert error.value.code == Code.INVALID_ARGUMENT
    assert "x is negative" in error.value.message
    assert "123" not in error.value.message


@pytest.mark.parametrize("garbage", [b"\xff\xfe\x80garbage", b"garbage", b""])
def test_engine_refuses_invalid_examples(engine: Engine, garbage: bytes) -> None:
    with pytest.raises(ServingError) as error:
        _ask(engine, "examples", examples=np.array([garbage], object))
    assert error.value.code == Code.INVALID_ARGUMENT
    assert "garbage" not in error.value.message
    assert "\n" not in error.value.message


@pytest.mark.parametrize("entry", [None, 7, 2**70, 1.5, [b"a"], object()])
def test_engine_refuses_objects_other_than_strings(engine: Engine, entry: object) -> None:
    words = np.empty(1, object)
    words[0] = entry
    with pytest.raises(ServingError, match="Unsupported object type"):
        _ask(engine, "columns", number=np.float32([1]), word=words)


def test_engine_encodes_text_as_utf_8(engine: Engine) -> None:
    words = np.array(["h\u00f6h"], object)
    assert _ask(engine, "columns", number=np.float32([1]), word=words)["length"].tolist() == [4]


def test_code_equals_codes_of_tensorflow() -> None:
    of_tensorflow = {
        name: number
        for name, number in vars(tf.errors).items()
        if name.isupper() and isinstance(number, int)
    }
    assert of_tensorflow == {code.name: code.value for code in Code}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\n\ttwo", "one"),
        ("bad [[{{node x}}]]", "bad"),
        ("assertion failed: [x is negative] [x = ] [-1 2]", "assertion failed: x is negative"),
        ("assertion failed: [-1 2]", "assertion failed: see the model"),
        ("Could not parse, value: 'secret'", "Could not parse"),
        ("", "ValueError"),
        ("a" * 500, "a" * 400),
    ],
)
def test_first_line_omits_values_and_nodes(text: str, line: str) -> None:
    assert first_line(ValueError(text)) == line
