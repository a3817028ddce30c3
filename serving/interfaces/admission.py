"""What a request is held to, by whichever interface it came, before the model is asked."""

import asyncio
from typing import NoReturn

from serving.errors import invalid
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

_OF_EXAMPLES = (EXAMPLES_SIGNATURE, CLASSIFY_SIGNATURE, REGRESS_SIGNATURE)
_MOST_EXPLAINED = 1000


def hold_to_limit(n_examples: int, settings: ServingSettings) -> None:
    """Holds a request to the number of examples allowed.

    Raises:
        ServingError: INVALID_ARGUMENT, if there are more.
    """
    if n_examples > settings.limits.examples:
        raise invalid(f"{n_examples} examples: {settings.limits.examples} are allowed in a request")


def submit(
    served: ServedVersion,
    signature: Signature,
    inputs: Arrays,
    settings: ServingSettings,
) -> asyncio.Future[Outputs]:
    """Sends a request to the model.

    Args:
        served: The version.
        signature: One of its own.
        inputs: Values by input name.
        settings: Of the server.

    Returns:
        What `Batcher.submit` gives; or a future that will hold INVALID_ARGUMENT if, with
        `check_values`, the inputs are unlike those of the training.

    Raises:
        ServingError: INVALID_ARGUMENT, if the inputs do not fit the signature, or are more examples
            than allowed; RESOURCE_EXHAUSTED, if too many examples are waiting.
    """
    n_examples = signature.check(inputs)
    hold_to_limit(n_examples, settings)
    if settings.check_values and served.columns:
        values = _raw_columns(served, signature, inputs)
        n_violations = sum(served.value_check.count(values).values())
        if n_violations:
            return in_thread(_refuse, served.value_check, values, n_violations)
    return served.batcher.submit(signature, inputs, n_examples)


def _raw_columns(served: ServedVersion, signature: Signature, inputs: Arrays) -> Arrays:
    """Gives the raw columns, be they in examples; none, of a signature that takes others."""
    if signature.name in _OF_EXAMPLES:
        (serialized,) = inputs.values()
        return parse_examples(serialized, served.columns)
    return inputs if signature.name == SERVING_SIGNATURE else {}


def _refuse(check: ValueCheck, values: Arrays, n_violations: int) -> NoReturn:
    """Says what is wrong, for which it may have to look up the nearest words."""
    found = check.find(values, _MOST_EXPLAINED)
    first = found[0]
    more = f", and {n_violations - 1} more" if n_violations > 1 else ""
    message = (
        f"values unlike those of the training: row {first.row}, {first.column}: {first.text}{more}"
    )
    raise invalid(message, found)
