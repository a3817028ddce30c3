"""`preprocessing_fn`: transforms raw features, in a graph that becomes part of the exported model.

Statistics (means, quantiles, vocabularies) are computed from the train split.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.features.dates import date_parts
from trainer.features.ids import boolean_ids, bucket_ids, category_ids
from trainer.features.labels import encode_label
from trainer.features.output_sources import find_sources_once
from trainer.features.raw_columns import to_dense
from trainer.features.scaling import scale_numbers
from trainer.features.target_scaling import analyze_target
from trainer.features.word_ids import tag_ids, text_ids
from trainer.model.outputs import REGRESSION
from trainer.settings.features import Boolean, Bucketized, Categorical, Datetime, Feature, Numeric
from trainer.settings.train import TrainerSettings
from trainer.settings.words import Tags, Text
from trainer.user_functions import UserFunctionError, load_function, user_errors

_DATE_NUMBER = Numeric(fill="mean")
_Inputs = Mapping[str, tf.Tensor | tf.SparseTensor]


def preprocessing_fn(inputs: _Inputs, custom_config: dict[str, Any]) -> dict[str, Any]:
    """Transforms a batch of raw features.

    Args:
        inputs: Raw columns by name, with the dtype in the schema: `[batch_size, 1]`, or, if the
            schema allows missing values, a SparseTensor of that shape without them.
        custom_config: `settings`, a `TrainerSettings` as a dict.

    Returns:
        The transformed features by name, `[batch_size, 1]` each: numbers float32, with missing
        values filled in; missing indicators float32, 1 or 0; ids int64, the last id for a missing
        value; the label int64 class ids, or float32 for a regression; the weight float32. Tags and
        text are SparseTensors `[batch_size, None]`: ids int64, weights float32. With the user's
        `preprocessing_fn`, its outputs, plus label and weight if it does not return them.

    Raises:
        UserFunctionError: If the user's `preprocessing_fn` fails or does not return tensors.
    """
    find_sources_once()
    settings = TrainerSettings.model_validate(custom_config["settings"])
    path = settings.model.preprocessing_fn
    outputs = (
        _call_user_function(path, inputs, custom_config) if path else _transform(inputs, settings)
    )
    if settings.label not in outputs:
        outputs[settings.label] = encode_label(_dense_column(inputs, settings.label), settings)
    if settings.task == REGRESSION:
        analyze_target(outputs[settings.label])
    if settings.weight is not None and settings.weight not in outputs:
        outputs[settings.weight] = tf.cast(_dense_column(inputs, settings.weight), tf.float32)
    return outputs


def _dense_column(inputs: _Inputs, name: str) -> tf.Tensor:
    return to_dense({name: inputs[name]})[name]


def _transform(
    inputs: _Inputs, settings: TrainerSettings
) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Transforms each column according to its kind."""
    numbers: dict[str, tuple[tf.Tensor, Numeric]] = {}
    others: dict[str, tf.Tensor | tf.SparseTensor] = {}
    columns = to_dense({name: inputs[name] for name in settings.raw_types})
    for name, raw_type in settings.raw_types.items():
        feature = settings.features[name]
        x = columns[name]
        if raw_type == "float":
            x = tf.cast(x, tf.float32)
        if isinstance(feature, Numeric):
            numbers[name] = (x, feature)
        elif isinstance(feature, Datetime):
            date_numbers, ids = date_parts(name, x, feature)
            numbers.update({key: (number, _DATE_NUMBER) for key, number in date_numbers.items()})
            others.update(ids)
        else:
            others.update(_ids(name, x, feature))
    names = settings.output_names
    return {
        names.get(name, name): values
        for name, values in (*scale_numbers(numbers).items(), *others.items())
    }


def _ids(name: str, x: tf.Tensor, feature: Feature) -> dict[str, tf.Tensor | tf.SparseTensor]:
    """Converts a column to ids, and weights if the feature has them."""
    if isinstance(feature, Bucketized):
        return {name: bucket_ids(x, feature)}
    if isinstance(feature, Categorical):
        return {name: category_ids(name, x, feature)}
    if isinstance(feature, Boolean):
        return {name: boolean_ids(x, feature)}
    if isinstance(feature, Tags):
        return tag_ids(name, x, feature)
    assert isinstance(feature, Text)  # the other kinds read no column
    return text_ids(name, x, feature)


def _call_user_function(
    path: str, inputs: _Inputs, custom_config: dict[str, Any]
) -> dict[str, Any]:
    """Calls the user's `preprocessing_fn` as Transform would, and checks what it returns."""
    function = load_function(path)
    signature = inspect.signature(function)
    optional = {"custom_config": custom_config} if "custom_config" in signature.parameters else {}
    try:
        signature.bind(inputs, **optional)
    except TypeError as error:
        raise UserFunctionError(
            f"{path}: must take (inputs) or (inputs, custom_config): {error}"
        ) from None
    with user_errors(function):
        outputs = function(dict(inputs), **optional)
    if not isinstance(outputs, dict):
        raise UserFunctionError(
            f"{path}: must return a dict of tensors by name, not {outputs!r:.100}"
        )
    for name, tensor in outputs.items():
        dtype = getattr(tensor, "dtype", None)
        if dtype not in (tf.float32, tf.int64, tf.string):
            found = f"{tensor!r:.100}" if dtype is None else dtype.name
            raise UserFunctionError(
                f"{path}: must return tensors of float32, int64 or string; {name!r} is {found}"
            )
    return dict(outputs)
