"""Pusher as TFX runs it: driver and executor with real artifacts."""

import os
from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from tfx.orchestration.portable import data_types
from tfx.types import Artifact, channel_utils, standard_artifacts

from components.pusher.component import Pusher
from components.pusher.driver import Driver
from components.pusher.executor import Executor
from components.pusher.versions import PushRecord, digest_model, list_versions, publish
from serving.models.columns import Column, read_columns
from tests.helpers.measured_data import measure, write_schema, write_statistics
from trainer.settings.features import Categorical, Crossed, Feature, Ignore, Numeric

TRAIN = {"x": [1.5, 2.5, 2.5], "word": ["b", "a", "b"], "other": [1, 2, 3]}
EVAL = {"x": [9.0], "word": ["c"], "other": [4]}
FEATURES: dict[str, Feature] = {
    "word": Categorical(min_count=2),
    "x": Numeric(clip=(0.5, 3.0)),
    "pair": Crossed(columns=("word", "other")),
    "other": Ignore(),
}


class Push:
    """A Pusher node whose model is in `tmp_path`."""

    def __init__(self, tmp_path: Path, is_blessed: bool = True, answers: bool = True) -> None:
        self.tmp_path = tmp_path
        self.push_dir = tmp_path / "serving"
        self.model_dir = tmp_path / "model" / "Format-Serving"
        self.model_dir.mkdir(parents=True, exist_ok=True)
        self.write_model(b"graph")
        model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
        model.uri, blessing.uri = str(tmp_path / "model"), str(tmp_path / "blessing")
        blessing.set_int_custom_property("blessed", int(is_blessed))
        infra = standard_artifacts.InfraBlessing()
        infra.uri = str(tmp_path / "infra")
        infra.set_int_custom_property("blessed", int(answers))
        statistics = write_statistics(tmp_path / "statistics", train=TRAIN, eval=EVAL)
        schema = write_schema(tmp_path / "schema", tfdv.infer_schema(measure(TRAIN)))
        component = Pusher(
            channel_utils.as_channel([model]),
            channel_utils.as_channel([blessing]),
            channel_utils.as_channel([infra]),
            str(self.push_dir),
            schema=channel_utils.as_channel([schema]),
            statistics=channel_utils.as_channel([statistics]),
            features=FEATURES,
        )
        self.inputs = {
            "model": [model],
            "model_blessing": [blessing],
            "infra_blessing": [infra],
            "schema": [schema],
            "statistics": [statistics],
        }
        self.properties = dict(component.exec_properties)

    def promote(self, index: int) -> int:
        """Promotes one of the versions, and returns the new one."""
        version = list_versions(self.push_dir)[index]
        folder = self.push_dir / str(version)
        record = PushRecord(f"promotion-{version}", digest_model(folder), version)
        return publish(folder, self.push_dir, record)

    def write_model(self, content: bytes) -> None:
        (self.model_dir / "saved_model.pb").write_bytes(content)

    def drive(self) -> str:
        """Runs the driver, and returns the id of the push."""
        info = data_types.ExecutionInfo(input_dict=self.inputs, exec_properties=self.properties)
        output = Driver(None).run(info)
        given = {name: value for name, value in self.properties.items() if value is not None}
        assert set(output.exec_properties) == {*given, "push_id"}
        return str(output.exec_properties["push_id"].string_value)

    def execute(self, push_id: str) -> Artifact:
        """Runs the executor, and returns the pushed model."""
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(self.tmp_path / f"pushed-{len(os.listdir(self.tmp_path))}")
        context = Executor.Context(tmp_dir=str(self.tmp_path / "temp"), unique_id="1")
        properties: dict[str, Any] = {**self.properties, "push_id": push_id}
        Executor(context).Do(self.inputs, {"pushed_model": [pushed]}, properties)
        return pushed


@pytest.fixture
def push(tmp_path: Path) -> Push:
    return Push(tmp_path)


# driver


def test_driver_keeps_the_id_of_the_newest_model(push: Push) -> None:
    push.execute("first")

    assert push.drive() == "first"


def test_driver_makes_an_id_without_versions(push: Push) -> None:
    assert push.drive() not in ("", "none", push.drive())


def test_driver_makes_an_id_for_another_model(push: Push) -> None:
    push.execute("first")
    push.write_model(b"another graph")
    push.execute("second")
    push.write_model(b"graph")

    assert push.drive() not in ("none", "first", "second")


def test_driver_makes_an_id_after_a_foreign_push(push: Push) -> None:
    push.execute("first")
    (push.push_dir / str(list_versions(push.push_dir)[-1] + 1)).mkdir()

    assert push.drive() not in ("none", "first")


def test_driver_keeps_an_id_after_a_rollback(
    push: Push,
) -> None:
    push.execute("first")
    push.write_model(b"another graph")
    push.execute("second")
    push.promote(0)

    after_one = push.drive()
    assert push.drive() == after_one
    push.promote(1)
    assert push.drive() == "promotion-" + str(list_versions(push.push_dir)[1])
    push.promote(0)
    push.write_model(b"a new graph")
    assert push.drive() not in (after_one, push.drive())


REFUSED = pytest.mark.parametrize("refused", [{"is_blessed": False}, {"answers": False}])


@REFUSED
def test_driver_makes_no_id_without_blessing(tmp_path: Path, refused: dict[str, bool]) -> None:
    assert Push(tmp_path, **refused).drive() == "none"


def test_driver_ignores_changed_statistics(push: Push) -> None:
    push.execute("first")
    changed = write_statistics(push.tmp_path / "changed", train={**TRAIN, "x": [7.0, 8.0, 9.0]})
    push.inputs["statistics"] = [changed]

    assert push.drive() == "first"
    push.execute("first")
    (version,) = list_versions(push.push_dir)
    assert read_columns(push.push_dir / str(version))["x"].max == 2.5


# executor


def test_executor_pushes_a_blessed_model(push: Push) -> None:
    pushed = push.execute("first")

    (version,) = list_versions(push.push_dir)
    assert (push.push_dir / str(version) / "saved_model.pb").read_bytes() == b"graph"
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == str(version)
    destination = pushed.get_string_custom_property("pushed_destination")
    assert destination == f"{push.push_dir}/{version}"


def test_executor_describes_the_raw_columns(push: Push) -> None:
    pushed = push.execute("first")

    columns = read_columns(Path(pushed.get_string_custom_property("pushed_destination")))
    assert columns == {
        "word": Column("b", True, words=("a", "b")),
        "x": Column(2.5, True, min=1.5, max=2.5),
    }


def test_executor_gives_the_pushed_model_out(push: Push) -> None:
    pushed = push.execute("first")

    assert digest_model(pushed.uri) == digest_model(push.model_dir)


@REFUSED
def test_executor_pushes_nothing_without_blessing(tmp_path: Path, refused: dict[str, bool]) -> None:
    push = Push(tmp_path, **refused)

    pushed = push.execute("none")

    assert pushed.mlmd_artifact.custom_properties["pushed"].WhichOneof("value") == "int_value"
    assert pushed.get_int_custom_property("pushed") == 0
    assert not push.push_dir.exists()


def test_executor_does_not_push_twice(push: Push) -> None:
    # The state after a kill between the rename and the end of the execution.
    version = publish(
        push.model_dir, push.push_dir, PushRecord("first", digest_model(push.model_dir))
    )

    pushed = push.execute("first")

    assert list_versions(push.push_dir) == [version]
    assert pushed.get_string_custom_property("pushed_version") == str(version)


def test_executor_reports_the_promoted_version(push: Push) -> None:
    push.execute("first")
    push.write_model(b"other graph")
    push.execute("second")
    version = push.promote(0)
    push.write_model(b"graph")

    pushed = push.execute("third")

    assert list_versions(push.push_dir)[-1] == version
    assert pushed.get_string_custom_property("pushed_version") == str(version)


def test_executor_does_not_push_a_rolled_back_model(push: Push) -> None:
    push.execute("first")
    push.write_model(b"other graph")
    push.execute("second")
    push.promote(0)
    before = list_versions(push.push_dir)

    pushed = push.execute("third")

    assert list_versions(push.push_dir) == before
    assert pushed.mlmd_artifact.custom_properties["pushed"].WhichOneof("value") == "int_value"
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property("rolled_back_version") == str(before[1])


def test_executor_pushes_a_new_model_after_a_promotion(push: Push) -> None:
    push.execute("first")
    push.write_model(b"other graph")
    push.execute("second")
    version = push.promote(0)
    push.write_model(b"new graph")

    pushed = push.execute("third")

    assert int(pushed.get_string_custom_property("pushed_version")) > version


def test_executor_pushes_with_a_higher_version(push: Push) -> None:
    push.execute("first")
    (first,) = list_versions(push.push_dir)
    push.write_model(b"other graph")

    pushed = push.execute("second")

    first_again, second = list_versions(push.push_dir)
    assert first == first_again < second
    assert pushed.get_string_custom_property("pushed_version") == str(second)
