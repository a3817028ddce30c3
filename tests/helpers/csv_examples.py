"""CSV files, and the examples that an ExampleGen's executor makes of them."""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import Artifact, standard_artifacts

from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.options import Options
from tabular.csv.dialect import Dialect
from tabular.csv.file_patterns import list_files
from tabular.csv.quarantine import Budget
from tests.helpers.checked_csv import NOTHING, RFC_4180, make_options
from trainer.settings.train import TrainerSettings

BUCKETS = {"train": 2, "eval": 1}

FILES = {
    "b.csv": "whole,number,word,partial,mixed,none,more\n"
    + "".join(
        f"{n},{n / 4},{'abc'[n % 3]}ß,{'' if n % 2 else n},{n},,{n if n else ''}\n"
        for n in range(30)
    ),
    "a.csv": "whole,number,word,partial,mixed,none,more\n"
    + '-9,1e3," a, ""quoted"" word ",7,1.5,,\n'
    + "9007199254740993,-0.1,NA,,x,,-1.5\n",
}

Example = tuple[tuple[str, str | None, tuple[Any, ...]], ...]


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes files, name to text, to a new folder."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def make_settings(
    label: str = "whole", task: str = "multiclass", **features: Any
) -> TrainerSettings:
    return TrainerSettings.model_validate({"label": label, "task": task, "features": features})


SETTINGS = make_settings(number="numeric")


def run(
    executor_class: type[BaseBeamExecutor],
    input_dir: Path,
    output_dir: Path,
    *,
    settings: TrainerSettings = SETTINGS,
    dialect: Dialect = RFC_4180,
    budget: Budget = NOTHING,
    pattern: str | Mapping[str, str] = "*.csv",
    split_by: str | None = None,
    beam_args: list[str] | None = None,
    options: Options | None = None,
) -> Artifact:
    """Runs an ExampleGen's executor with the component's properties, and returns its artifact."""
    buckets = BUCKETS if isinstance(pattern, str) else None
    patterns = [pattern] if isinstance(pattern, str) else pattern.values()
    globs = [str(input_dir / each) for each in patterns]
    paths = [Path(path) for each in globs for path in list_files(each, glob.glob)]
    component = CsvExampleGen(
        str(input_dir),
        pattern,
        buckets,
        split_by=split_by,
        options=options or make_options(paths, settings, dialect, budget),
    )
    examples = standard_artifacts.Examples()
    examples.uri = str(output_dir)
    context = executor_class.Context(
        beam_args, tmp_dir=str(output_dir.parent / "temp"), unique_id="1"
    )
    executor_class(context).Do({}, {"examples": [examples]}, dict(component.exec_properties))
    return examples


def read_split(examples: Artifact, split: str) -> list[Example]:
    """Reads the examples of a split in their order."""
    paths = sorted(Path(examples.uri, f"Split-{split}").iterdir())
    dataset = tf.data.TFRecordDataset([str(path) for path in paths], "GZIP")
    return [
        canonical(tf.train.Example.FromString(record)) for record in dataset.as_numpy_iterator()
    ]


def canonical(example: tf.train.Example) -> Example:
    """Lists name, kind and values of each feature; no kind if there is no value."""
    features = []
    for name, feature in sorted(example.features.feature.items()):
        kind = feature.WhichOneof("kind")
        values = tuple(getattr(feature, kind).value) if kind else ()
        features.append((name, kind if values else None, values))
    return tuple(features)


def values_of(examples: list[Example], name: str) -> list[Any]:
    """Lists the values of a feature."""
    return [values[0] for example in examples for key, _, values in example if key == name]
