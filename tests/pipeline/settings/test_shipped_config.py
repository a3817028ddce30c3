"""The shipped `pipeline_config.yaml`: complete, commented, and equal to the defaults."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import yaml
from pydantic import BaseModel

from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tests.helpers.config_files import MINIMAL, write_config
from tests.helpers.paths import SHIPPED
from trainer.settings.tuner import TunerSettings


def settings(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys of all settings below a section, `*` for the keys of a dictionary.

    A section that may be null, and is, has none; nor has a dictionary that is empty.
    """
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if field.default is None or field.default == {}:
            yield key
            continue
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from settings(inner, f"{key}." if inner is field.annotation else f"{key}.*.")
                break
        else:
            yield key


def shipped_lines() -> Mapping[str, int]:
    """The line of each key of the shipped file, counted from 1."""

    def walk(node: yaml.Node, prefix: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                yield prefix + key.value, key.start_mark.line + 1
                yield from walk(value, f"{prefix}{key.value}.")

    node = yaml.compose(SHIPPED.read_text())
    assert node is not None
    return dict(walk(node, ""))


def test_shipped_config_equals_defaults() -> None:
    config = load_config(SHIPPED)
    # Settings without a default, and the slices, which name a column of the data.
    given = {"name", "data.path", "data.label", "evaluation.slices"}
    required = config.model_dump(
        include={
            "name": True,
            "data": {"path", "label"},
            "features": True,
            "evaluation": {"thresholds"},
        }
    )

    shipped = config.flatten()
    defaults = Config.model_validate(required).flatten()

    assert shipped.keys() == defaults.keys()
    assert {key for key in shipped if shipped[key] != defaults[key]} <= given


def test_shipped_config_names_every_setting() -> None:
    lines = shipped_lines()
    metrics = [key.split(".")[2] for key in lines if key.startswith("evaluation.thresholds.")]
    names = {key.replace(f".{metric}.", ".*.") for key in lines for metric in metrics}

    assert set(settings(Config)) <= names


def test_shipped_config_comments_every_setting() -> None:
    lines = SHIPPED.read_text().splitlines()
    keys = shipped_lines()
    commented = {key for key, line in keys.items() if lines[line - 2].lstrip().startswith("#")}
    # The keys in these sections share one comment.
    together = {"features", "data.split", "evaluation.thresholds"}
    together_with = {"model.l2": "model.l1", "train.best_is": "train.best_metric"}

    for key in keys:
        is_section = any(other.startswith(f"{key}.") for other in keys)
        is_told_above = any(key.startswith(f"{above}.") for above in together & commented)
        is_told_above |= together_with.get(key) in commented
        assert key in commented or is_told_above or is_section, key


def test_shipped_config_shows_valid_sweep(tmp_path: Path) -> None:
    lines = SHIPPED.read_text().splitlines()
    begin = lines.index("#   tuner:")
    example = [line.removeprefix("#   ") for line in lines[begin : lines.index("tuner: null")]]

    config = load_config(write_config(tmp_path, MINIMAL + "\n".join(example)))

    assert config.tuner is not None
    assert config.tuner.model_fields_set == set(TunerSettings.model_fields)
