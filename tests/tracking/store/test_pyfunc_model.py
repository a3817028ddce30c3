"""MLflow models: written without TensorFlow, loaded and run with it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from tests.helpers.exported_models import ROWS, export_classifier, to_tensors
from tracking.store.pyfunc_model import save_model
from tracking.store.saved_model_pyfunc import SavedModelPyfunc

pytestmark = [
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # Keras draws the seeds of layers with randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def saved_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def model_dir(saved_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model_dir = tmp_path_factory.mktemp("mlflow") / "model"
    save_model(saved_model_dir, model_dir, ROWS[0])
    return model_dir


@pytest.fixture(scope="module")
def model(model_dir: Path) -> mlflow.pyfunc.PyFuncModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        return mlflow.pyfunc.load_model(str(model_dir))


# predictions


def expect(saved_model_dir: Path, rows: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Predictions of TensorFlow for the rows."""
    signature = tf.saved_model.load(str(saved_model_dir)).signatures["serving_default"]
    return {name: tensor.numpy() for name, tensor in signature(**to_tensors(rows)).items()}


def test_model_predicts_as_the_saved_model(
    model: mlflow.pyfunc.PyFuncModel, saved_model_dir: Path
) -> None:
    rows = ROWS * 30

    found = model.predict(pd.DataFrame(rows))

    expected = expect(saved_model_dir, rows)
    assert list(found) == ["class_ids", "classes", "logits", "probabilities"]
    assert found["class_ids"].tolist() == expected["class_ids"][:, 0].tolist()
    words = [word.decode() for word in expected["classes"][:, 0]]
    assert found["classes"].tolist() == words
    for name in ("logits", "probabilities"):
        assert expected[name].dtype == np.float32
        values = found[name].tolist()
        assert {type(value) for row in values for value in row} == {float}
        np.testing.assert_array_equal(np.array(values), expected[name].astype(np.float64))


def test_model_takes_32_bit_numbers(
    model: mlflow.pyfunc.PyFuncModel, saved_model_dir: Path
) -> None:
    frame = pd.DataFrame(ROWS).astype({"area": np.float32})

    found = model.predict(frame)

    np.testing.assert_array_equal(
        np.array(found["logits"].tolist()), expect(saved_model_dir, ROWS)["logits"]
    )


def test_model_ignores_other_columns_and_order(model: mlflow.pyfunc.PyFuncModel) -> None:
    frame = pd.DataFrame(ROWS)

    found = model.predict(frame.assign(sold="yes")[["sold", "city", "rooms", "area"]])

    pd.testing.assert_frame_equal(found, model.predict(frame))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="rooms"), r"missing inputs \['rooms'\]"),
        (lambda frame: frame.assign(area="wide"), "column area"),
        (lambda frame: frame.assign(rooms=1.5), "column rooms"),
        (lambda frame: frame.assign(city=1), "column city"),
    ],
)
def test_model_refuses_values_of_a_wrong_type(
    model: mlflow.pyfunc.PyFuncModel, change: Any, message: str
) -> None:
    with pytest.raises(MlflowException, match=message):
        model.predict(change(pd.DataFrame(ROWS)))


def test_model_refuses_a_cell_that_is_not_text(model: mlflow.pyfunc.PyFuncModel) -> None:
    frame = pd.DataFrame(ROWS).assign(city=["bath", 7, "bath"])

    with pytest.raises(TypeError, match="column city: expected text, found 7"):
        model.predict(frame)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_model_takes_missing_values(
    model: mlflow.pyfunc.PyFuncModel, saved_model_dir: Path, missing: object
) -> None:
    frame = pd.DataFrame(ROWS).assign(
        city=pd.Series([missing, "bath", missing], dtype=object), area=[1.0, None, 2.0]
    )

    found = model.predict(frame)

    rows = [
        {**row, "city": city, "area": area}
        for row, city, area in zip(ROWS, ["", "bath", ""], [1.0, np.nan, 2.0], strict=True)
    ]
    np.testing.assert_array_equal(
        np.array(found["logits"].tolist()), expect(saved_model_dir, rows)["logits"]
    )


class Doubler(tf.Module):
    """A model with outputs of the shapes `[-1]` and `[-1, 1]`."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, "count")])
    def serve(self, count: tf.Tensor) -> dict[str, tf.Tensor]:
        half = tf.cast(count, tf.float32) / 2
        return {"predictions": half[:, tf.newaxis], "twice": 2 * count, "text": tf.as_string(count)}


def test_model_of_a_regression(tmp_path: Path) -> None:
    module = Doubler()
    tf.saved_model.save(module, str(tmp_path / "saved"), {"serving_default": module.serve})
    description = {
        "inputs": {"count": {"dtype": "int64", "shape": [-1]}},
        "outputs": {
            "predictions": {"dtype": "float32", "shape": [-1, 1]},
            "text": {"dtype": "string", "shape": [-1]},
            "twice": {"dtype": "int64", "shape": [-1]},
        },
    }
    (tmp_path / "saved" / "assets.extra").mkdir()
    path = tmp_path / "saved" / "assets.extra" / "signature.json"
    path.write_text(json.dumps(description))

    save_model(tmp_path / "saved", tmp_path / "model", {"count": 1})
    found = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(pd.DataFrame({"count": [3]}))

    assert found.to_dict("records") == [{"predictions": 1.5, "text": "3", "twice": 6}]
    outputs = Model.load(str(tmp_path / "model")).signature.outputs.to_dict()
    assert [(each["name"], each["type"]) for each in outputs] == [
        ("predictions", "double"),
        ("text", "string"),
        ("twice", "long"),
    ]


# the folder


def test_save_model_writes_the_signature(model_dir: Path) -> None:
    signature = Model.load(str(model_dir)).signature

    assert signature.inputs.to_dict() == [
        {"type": "double", "name": "area", "required": True},
        {"type": "string", "name": "city", "required": True},
        {"type": "long", "name": "rooms", "required": True},
    ]
    array = {"type": "array", "items": {"type": "double"}}
    assert signature.outputs.to_dict() == [
        {"type": "long", "name": "class_ids", "required": True},
        {"type": "string", "name": "classes", "required": True},
        {**array, "name": "logits", "required": True},
        {**array, "name": "probabilities", "required": True},
    ]


def test_save_model_writes_a_valid_example(
    model_dir: Path, model: mlflow.pyfunc.PyFuncModel
) -> None:
    example = Model.load(str(model_dir)).load_input_example(str(model_dir))

    assert example.to_dict("records") == [ROWS[0]]
    pd.testing.assert_frame_equal(
        model.predict(example), model.predict(pd.DataFrame(ROWS[:1])), check_exact=True
    )


def test_save_model_writes_no_pickle(model_dir: Path) -> None:
    flavors = Model.load(str(model_dir)).flavors

    assert list(flavors) == ["python_function"]
    assert flavors["python_function"]["loader_module"] == "saved_model_pyfunc"
    assert not {"python_model", "cloudpickle_version"} & set(flavors["python_function"])
    assert {path.name for path in model_dir.iterdir()} == {
        "MLmodel",
        "code",
        "conda.yaml",
        "data",
        "input_example.json",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    }
    assert [path.name for path in (model_dir / "code").glob("*.py")] == ["saved_model_pyfunc.py"]
    assert "pickle" not in "".join(path.name for path in model_dir.rglob("*"))


def test_save_model_pins_requirements(model_dir: Path) -> None:
    lines = (model_dir / "requirements.txt").read_text().splitlines()

    packages, versions = zip(*(line.split("==") for line in lines), strict=True)
    assert set(packages) == {"mlflow", "tensorflow", "numpy", "pandas"}
    assert versions[packages.index("tensorflow")] == tf.__version__


def test_save_model_without_an_example(saved_model_dir: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="input example was not provided"):
        save_model(saved_model_dir, tmp_path / "model", None)

    assert not (tmp_path / "model" / "input_example.json").exists()


def test_save_model_needs_the_signature_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"signature\.json"):
        save_model(tmp_path, tmp_path / "model", None)


_SAVE = """
import json, sys
from tracking.store.pyfunc_model import save_model
save_model(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
assert "tensorflow" not in sys.modules
"""


def test_save_model_does_not_import_tensorflow(saved_model_dir: Path, tmp_path: Path) -> None:
    arguments = [str(saved_model_dir), str(tmp_path / "model"), json.dumps(ROWS[0])]

    process = subprocess.run(
        [sys.executable, "-c", _SAVE, *arguments], capture_output=True, text=True
    )

    assert process.returncode == 0, process.stderr


def test_pyfunc_takes_columns_that_differ_in_special_characters(tmp_path: Path) -> None:
    names = ["a b", "a_b", "self", "価格"]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        inputs = {name: tf.compat.v1.placeholder(tf.float32, [None]) for name in names}
        total = tf.add_n([10.0**place * inputs[name] for place, name in enumerate(names)])
        tf.compat.v1.saved_model.simple_save(
            session, str(tmp_path / "model"), inputs, {"total": total}
        )

    found = SavedModelPyfunc(str(tmp_path / "model")).predict(
        pd.DataFrame({"価格": [4.0], "self": [3.0], "a_b": [2.0], "a b": [1.0]})
    )

    assert found["total"].tolist() == [4321]
