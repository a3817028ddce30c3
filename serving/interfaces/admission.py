"""Checks of a request, from REST or gRPC, before it goes to the model."""

import asyncio
from typing import NoReturn

from serving.errors import invalid
from serving.formats.example_json import check_examples
from serving.models.batching import Outputs
from serving.models.engine import Arrays, Signature
from serving.models.examples import parse_examples
from serving.models.value_check import ValueCheck
from serving.models.versions import ServedVersion
from serving.settings import ServingSettings
from serving.threads import in_thread
from trainer.signatures import (
    CLASSIFY_SIGNATURE,
    EXAMPLES_SIGNATURE,
    REGRESS_SIGNATURE,
    SERVING_SIGNATURE,
)

_EXAMPLE_SIGNATURES = (EXAMPLES_SIGNATURE, CLASSIFY_SIGNATURE, REGRESS_SIGNATURE)
_MAX_EXPLAINED = 1000
"""Violations listed in an error."""


def submit(
    served: ServedVersion,
    signature: Signature,
    inputs: Arrays,
    settings: ServingSettings,
) -> asyncio.Future[Outputs]:
    """Checks a request and sends it to the model.

    Args:
        served: The version to run.
        signature: One of the version's signatures.
        inputs: Values by input name.
        settings: The section `serving`.

    Returns:
        The future of `Batcher.submit`. With `check_values`, if the training data does not allow
        some values, a future that will hold INVALID_ARGUMENT instead.

    Raises:
        ServingError: INVALID_ARGUMENT, if the inputs do not match the signature or there are too
            many examples; RESOURCE_EXHAUSTED, if too many examples are waiting.
    """
    n_examples = signature.check(inputs)
    check_examples(n_examples, 0, settings.limits)
    if settings.check_values and served.columns:
        values = _raw_columns(served, signature, inputs)
        n_violations = sum(served.value_check.count(values).values())
        if n_violations:
            return in_thread(_refuse, served.value_check, values, n_violations)
    return served.batcher.submit(signature, inputs, n_examples)


def _raw_columns(served: ServedVersion, signature: Signature, inputs: Arrays) -> Arrays:
    """Returns the raw columns of a request, parsed if it holds examples.

    Empty for a signature that takes neither raw columns nor examples.
    """
    if signature.name in _EXAMPLE_SIGNATURES:
        (serialized,) = inputs.values()
        return parse_examples(serialized, served.columns)
    return inputs if signature.name == SERVING_SIGNATURE else {}


def _refuse(check: ValueCheck, values: Arrays, n_violations: int) -> NoReturn:
    """Raises the error that describes the violations; slow, since it looks for similar strings."""
    found = check.find(values, _MAX_EXPLAINED)
    first = found[0]
    more = f", and {n_violations - 1} more" if n_violations > 1 else ""
    message = (
        "values not allowed by the training data:"
        f" row {first.row}, {first.column}: {first.text}{more}"
    )
    raise invalid(message, found)
