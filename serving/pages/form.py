"""The form on the page at `/` that sends a request to a model."""

import json
from collections.abc import Mapping
from html import escape

import tensorflow as tf

from serving.models.columns import Column
from serving.models.engine import Signature
from serving.pages.tensor_schema import make_example

_MAX_OPTIONS = 100
"""Strings offered in a drop-down list; more of them become suggestions for a text field."""


def make_form(signature: Signature, columns: Mapping[str, Column], path: str, classes: str) -> str:
    """Writes an HTML form with a field for each input, filled with typical values.

    Args:
        signature: The signature that the form's request uses.
        columns: The raw columns, for typical and allowed values.
        path: Path of the request.
        classes: JSON list of class names, to label a classifier's response.

    Returns:
        HTML. The page's script builds the request, using `data-kind` of each field.
    """
    fields = "".join(
        _field(signature, name, columns, f"{path}-{i}") for i, name in enumerate(signature.inputs)
    )
    key = "instances" if signature.is_batched else "inputs"
    return (
        f'<form novalidate autocomplete="off" data-path="{escape(path)}" data-key="{key}"'
        f' data-words="{escape(classes)}"><div class="fields">{fields}</div>'
        '<button>Predict</button><div class="answer" aria-live="polite"></div></form>'
    )


def describe_range(column: Column) -> str:
    """Describes the numbers that a column allows; empty if it has no limits."""
    if column.min is None:
        return "" if column.max is None else f"at most {column.max:g}"
    return (
        f"{column.min:g} to {column.max:g}"
        if column.max is not None
        else f"at least {column.min:g}"
    )


def _field(signature: Signature, name: str, columns: Mapping[str, Column], list_id: str) -> str:
    tensor, column = signature.inputs[name], columns.get(name)
    value = make_example(signature, name, columns)
    hint = tensor.dtype.name
    if isinstance(value, list) or tensor.shape is None:
        control = f"<textarea {_named(name, 'json')}>{escape(json.dumps(value))}</textarea>"
        hint += ", JSON"
    elif tensor.dtype == tf.bool:
        control = _select(name, "json", ("true", "false"), json.dumps(value))
    elif tensor.dtype == tf.string:
        words = column.words if column and column.words else ()
        control = _words(name, words, value, list_id, column is None or column.required)
    else:
        kind = "integer" if tensor.dtype.is_integer else "float"
        limits = ""
        if column is not None:
            hint = ", ".join(filter(None, (hint, describe_range(column))))
            bounds = {"min": column.min, "max": column.max}
            limits = "".join(
                f' {key}="{bound:.15g}"' for key, bound in bounds.items() if bound is not None
            )
        step = "1" if kind == "integer" else "any"
        control = (
            f'<input type="number" step="{step}" {_named(name, kind)} value="{value}"{limits}>'
        )
    return f'<label>{escape(name)}<span class="hint">{escape(hint)}</span>{control}</label>'


def _words(name: str, words: tuple[str, ...], value: str, list_id: str, is_required: bool) -> str:
    if words and len(words) <= _MAX_OPTIONS:
        return _select(name, "text", words if is_required else ("", *words), value)
    options = "".join(f'<option value="{escape(word)}">' for word in words)
    offered = f'<datalist id="{escape(list_id)}">{options}</datalist>' if words else ""
    refers = f' list="{escape(list_id)}"' if words else ""
    return f'<input {_named(name, "text")} value="{escape(value)}"{refers}>{offered}'


def _select(name: str, kind: str, words: tuple[str, ...], value: str) -> str:
    options = "".join(
        f'<option value="{escape(word)}"{" selected" if word == value else ""}>'
        f"{escape(word) or '(missing)'}</option>"
        for word in words
    )
    return f"<select {_named(name, kind)}>{options}</select>"


def _named(name: str, kind: str) -> str:
    # The attribute `name` would make fields properties of the form, where a column's name could
    # hide a built-in property.
    return f'data-name="{escape(name)}" data-kind="{kind}"'
