"""Replaces features that are `auto` by kinds chosen by what stands in their columns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import (
    Choice,
    choose,
    choose_categorical,
    choose_numeric,
    describe_column,
    is_constant,
)
from pipeline.data.schema_hints import Said, read_kinds
from pipeline.errors import DataError
from pipeline.settings.config import Config
from trainer.settings.features import ALL_OTHERS, Boolean, Feature, Ignore
from trainer.settings.train import is_column_name


def auto_columns(config: Config, header: Sequence[str]) -> list[str]:
    """Names the columns of a header whose features are `auto`."""
    features = _spread(config, header)
    return [name for name, feature in features.items() if feature.kind == "auto"]


def choose_features(
    config: Config, header: Sequence[str], profiles: Mapping[str, ColumnProfile]
) -> Config:
    """Chooses a kind for each feature that is `auto`, by the rows of the train split.

    Args:
        config: The configuration.
        header: All columns of the data.
        profiles: What stands in the `auto` columns in the train split.

    Returns:
        The configuration that runs, without `auto`, and with `notes` on what was chosen.

    Raises:
        DataError: If no column is left that the model could read.
    """
    said = read_said(config)
    features: dict[str, Feature] = {}
    chosen: dict[str, Choice] = {}
    for name, feature in _spread(config, header).items():
        if feature.kind == "auto":
            chosen[name] = _choose(config, profiles[name], said.get(name), header)
            feature = chosen[name].feature
        # A name that cannot stand in the configuration is ignored without being named.
        if is_column_name(name):
            features[name] = feature
    if all(feature.kind == "ignore" for feature in features.values()):
        raise _none_left(config, chosen)
    return config.resolved(features, list(_notes(chosen)))


def read_said(config: Config) -> Mapping[str, Said]:
    """Reads what the reviewed schema says of the columns; nothing where there is none."""
    path = config.data.schema_path
    return {} if path is None else read_kinds(config.resolve(path))


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
