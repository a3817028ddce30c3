"""Replaces `auto` features by kinds that fit the content of their columns."""

from collections.abc import Mapping, Sequence

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.column_traits import is_constant
from pipeline.data.feature_choice import (
    Choice,
    choose,
    choose_categorical,
    choose_numeric,
    leave_out,
    make_choice,
)
from pipeline.data.findings import DataSummary, Finding
from pipeline.data.schema_hints import SchemaHint, read_schema_hints
from pipeline.errors import DataError
from pipeline.settings.config import Config
from pipeline.settings.numbers import as_yaml
from tabular.csv.column_rules import quote
from trainer.settings.column_names import ALL_OTHERS, fault_of_name
from trainer.settings.features import Boolean, Feature


def auto_columns(config: Config, header: Sequence[str]) -> list[str]:
    """Lists the columns of a header whose features are `auto`."""
    features = _expand_all_others(config, header)
    return [name for name, feature in features.items() if feature.kind == "auto"]


def choose_features(
    config: Config, header: Sequence[str], profiles: Mapping[str, ColumnProfile]
) -> tuple[Config, DataSummary]:
    """Chooses a kind for each `auto` feature by the rows of the train split.

    Args:
        config: The configuration.
        header: All columns of the data.
        profiles: `auto` column to its profile in the train split.

    Returns:
        The configuration with the chosen features and `notes` about them, and the summary of the
        columns that were `auto`.

    Raises:
        DataError: If no column is left that the model could read, or if numbers are not plain.
    """
    _check_written_numbers(config, profiles)
    hints = _read_hints(config)
    features: dict[str, Feature] = {}
    chosen: dict[str, Choice] = {}
    for name, feature in _expand_all_others(config, header).items():
        if feature.kind == "auto":
            chosen[name] = _choose(config, profiles[name], hints.get(name))
            feature = chosen[name].feature
        # A name that the configuration does not allow is ignored without being listed.
        if fault_of_name(name) is None:
            features[name] = feature
    if all(feature.kind == "ignore" for feature in features.values()):
        raise _no_feature_error(config, chosen)
    summary = DataSummary(tuple(choice.summary for choice in chosen.values()))
    return config.resolved(features, list(summary.lines())), summary


def _check_written_numbers(config: Config, profiles: Mapping[str, ColumnProfile]) -> None:
    """Checks that numbers which are not plain are described, so that none are taken for words."""
    faults = [
        f"{config.data_path}: {name}: {quote(written.examples[0])} is a number that is not plain;"
        f" expected the way its numbers are written: set data.csv.numbers.{name} to"
        f" {as_yaml(written.format, config.data.csv.decimal)}, or name its kind in features"
        for name, profile in profiles.items()
        if (written := profile.written_numbers) is not None and written.format is not None
    ]
    if faults:
        raise DataError("\n".join(faults))


def _read_hints(config: Config) -> Mapping[str, SchemaHint]:
    """Reads the hints of the reviewed schema by column; empty if there is no schema."""
    path = config.data.schema_path
    return {} if path is None else read_schema_hints(config.resolve(path))


def _expand_all_others(config: Config, columns: Sequence[str]) -> dict[str, Feature]:
    """Replaces `*` by the columns that the configuration does not name."""
    named = {*config.features, config.data.label, config.data.weight}
    features: dict[str, Feature] = {}
    for name, feature in config.features.items():
        if name == ALL_OTHERS:
            features |= {column: feature for column in columns if column not in named}
        else:
            features[name] = feature
    return features


def _choose(config: Config, profile: ColumnProfile, hint: SchemaHint | None) -> Choice:
    if profile.name == config.data.split.by:
        return leave_out(profile, "rows are split by it")
    choice = choose(profile, is_sample=True)
    has_something = profile.kind != "empty" and not is_constant(profile)
    if hint is None or not has_something or fault_of_name(profile.name):
        return choice
    by_schema = Finding("its kind is by the schema")
    return make_choice(profile, _feature_of_hint(hint, profile), by_schema)


def _feature_of_hint(hint: SchemaHint, profile: ColumnProfile) -> Feature:
    """Makes a feature of the kind that the schema gives."""
    if hint.kind == "number":
        return choose_numeric(profile, is_sample=True)
    if hint.kind == "words":
        return choose_categorical(profile)
    if hint.true and hint.false:
        return Boolean(true_words=(hint.true,), false_words=(hint.false,))
    return Boolean()


def _no_feature_error(config: Config, chosen: Mapping[str, Choice]) -> DataError:
    """Makes the error that explains for each column why it is ignored."""
    path = config.data_path
    lines = [f"{path}: {name}: {choice.found}: {choice.reason}" for name, choice in chosen.items()]
    fix = "add columns, or name in features, each with its kind, the columns to learn from anyway"
    return DataError("\n".join([f"{path}: no column is left to learn from: {fix}", *lines]))
