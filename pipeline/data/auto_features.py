"""Replaces features that are `auto` by kinds chosen by what stands in their columns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.csv_example_gen.splits import hash_buckets, split_rows
from pipeline.data.check import check_data
from pipeline.data.column_profile import ColumnProfile, profile_columns
from pipeline.data.feature_choice import (
    Choice,
    choose,
    choose_categorical,
    choose_numeric,
    describe_column,
    is_constant,
)
from pipeline.data.files import find_files, say_names
from pipeline.data.schema_hints import Said, read_kinds
from pipeline.errors import DataError, did_you_mean
from pipeline.settings.config import Config
from tabular.csv.column_rules import quote
from tabular.csv.file_patterns import ALL
from tabular.csv.reader import read_blocks
from trainer.settings.features import ALL_OTHERS, Boolean, Feature, Ignore
from trainer.settings.train import is_column_name


def resolve_features(config: Config) -> Config:
    """Chooses a kind for each feature that is `auto`, by the rows of the train split.

    Args:
        config: The configuration, its data unchecked.

    Returns:
        The configuration that runs, without `auto`, and with `notes` on what was chosen. The same
        one where nothing is `auto`; then the data is not read.

    Raises:
        DataError: If the data cannot be read, or no column is left that the model could read.
    """
    if all(feature.kind != "auto" for feature in config.features.values()):
        return config
    profiles = _profile(config)
    said = read_said(config)
    features: dict[str, Feature] = {}
    chosen: dict[str, Choice] = {}
    for name, feature in _spread(config, list(profiles)).items():
        if feature.kind == "auto":
            if name not in profiles:
                check_data(config)  # which may have found a better reason
                raise _no_column(config, name, list(profiles))
            chosen[name] = _choose(config, profiles[name], said.get(name), list(profiles))
            feature = chosen[name].feature
        # A name that cannot stand in the configuration is ignored without being named.
        if is_column_name(name):
            features[name] = feature
    if all(feature.kind == "ignore" for feature in features.values()):
        check_data(config)
        raise _none_left(config, chosen)
    return config.resolved(features, list(_notes(chosen)))


def read_said(config: Config) -> Mapping[str, Said]:
    """Reads what the reviewed schema says of the columns; nothing where there is none."""
    path = config.data.schema_path
    return {} if path is None else read_kinds(config.resolve(path))


def _profile(config: Config) -> dict[str, ColumnProfile]:
    try:
        return profile_columns(_train_batches(config), config.data.csv.decimal)
    except (pa.ArrowInvalid, OSError) as error:
        check_data(config)  # says where and why
        raise DataError(f"{config.data_path}: cannot be read: {error}") from None


def _train_batches(config: Config) -> Iterator[pa.RecordBatch]:
    """Reads the rows to learn from, without those of too many or too few fields."""
    files, settings = find_files(config), config.data.split
    buckets = list(hash_buckets(settings.shares).values())
    for split, path in ((split, path) for split, paths in files.items() for path in paths):
        if split not in ("train", ALL):
            continue
        for batch, _ in read_blocks(path, config.data.csv.dialect, lambda _: None):
            if split == ALL:
                splits = pa.array(split_rows(batch, buckets, settings.by))
                batch = batch.filter(pc.equal(splits, config.data.splits.index("train")))
            yield batch


def _spread(config: Config, columns: Sequence[str]) -> dict[str, Feature]:
    """Puts the columns that are not named in the place of `*`."""
    named = {*config.features, config.data.label, config.data.weight}
    features: dict[str, Feature] = {}
    for name, feature in config.features.items():
        if name == ALL_OTHERS:
            features |= {column: feature for column in columns if column not in named}
        else:
            features[name] = feature
    return features


def _choose(
    config: Config, profile: ColumnProfile, said: Said | None, columns: Sequence[str]
) -> Choice:
    if profile.name == config.data.split.by:
        return Choice(Ignore(), describe_column(profile), "the splits are made by it")
    choice = choose(profile, columns, is_sample=True)
    has_something = profile.kind != "empty" and not is_constant(profile)
    if said is None or not has_something or not is_column_name(profile.name):
        return choice
    return Choice(_as_said(said, profile, columns), f"by the schema; {choice.found}")


def _as_said(said: Said, profile: ColumnProfile, columns: Sequence[str]) -> Feature:
    """Makes a feature of the kind that the schema says."""
    if said.kind == "number":
        return choose_numeric(profile, columns, is_sample=True)
    if said.kind == "words":
        return choose_categorical(profile)
    if said.true and said.false:
        return Boolean(true_words=(said.true,), false_words=(said.false,))
    return Boolean()


def _no_column(config: Config, name: str, columns: Sequence[str]) -> DataError:
    return DataError(
        f"{config.data_path}: there is no column {quote(name)}; expected one of"
        f" {say_names(columns)}: correct features{did_you_mean(name, columns)}"
    )


def _none_left(config: Config, chosen: Mapping[str, Choice]) -> DataError:
    """Says for each column why it is not learned from."""
    path = config.data_path
    lines = [f"{path}: {name}: {choice.found}: {choice.reason}" for name, choice in chosen.items()]
    fix = "add columns, or name in features those to read all the same, each with its kind"
    return DataError("\n".join([f"{path}: no column is left to learn from: {fix}", *lines]))


def _notes(chosen: Mapping[str, Choice]) -> Iterator[str]:
    """Says how many features of each kind were chosen, and why columns are ignored."""
    counts = Counter(
        choice.feature.kind for choice in chosen.values() if choice.feature.kind != "ignore"
    )
    if counts:
        yield f"chosen: {', '.join(f'{count} {kind}' for kind, count in counts.items())}"
    for name, choice in chosen.items():
        if choice.reason:
            yield f"{name}: ignored, {choice.found}: {choice.reason}"
