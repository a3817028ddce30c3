"""What a request is held to, by whichever interface it came, before the model is asked."""

import asyncio

from serving.batching import Outputs
from serving.engine import Arrays, Signature
from serving.errors import Code, ServingError
from serving.examples import parse_examples
from serving.settings import ServingSettings
from serving.threads import in_thread
from serving.value_check import Violation
from serving.versions import ServedVersion
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
        raise ServingError(
            Code.INVALID_ARGUMENT,
            f"{n_examples} examples: {settings.limits.examples} are allowed in a request",
        )


async def submit(
    served: ServedVersion, signature: Signature, inputs: Arrays, settings: ServingSettings
) -> asyncio.Future[Outputs]:
    """Sends a request to the model.

    Args:
        served: The version, held by the caller until the answer is there.
        signature: One of its own.
        inputs: Values by input name.
        settings: Of the server.

    Returns:
        What `Batcher.submit` gives.

    Raises:
        ServingError: INVALID_ARGUMENT, if the inputs do not fit the signature, are more examples
            than allowed or, with `check_values`, are unlike those of the training;
            RESOURCE_EXHAUSTED, if too many examples are waiting.
    """
    n_examples = signature.check(inputs)
    hold_to_limit(n_examples, settings)
    if settings.check_values and served.columns:
        await _refuse_strange_values(served, signature, inputs)
    return served.submit(signature, inputs, n_examples)


async def _refuse_strange_values(
    served: ServedVersion, signature: Signature, inputs: Arrays
) -> None:
    """Looks at raw columns, or at the examples that hold them; other signatures go unchecked."""
    if signature.name in _OF_EXAMPLES:
        (serialized,) = inputs.values()
        inputs = parse_examples(serialized, served.columns)
    elif signature.name != SERVING_SIGNATURE:
        return
    n_violations = sum(served.value_check.count(inputs).values())
    if n_violations:
        found = await in_thread(served.value_check.find, inputs, _MOST_EXPLAINED)
        raise ServingError(Code.INVALID_ARGUMENT, _say(found, n_violations), found)


def _say(found: list[Violation], n_violations: int) -> str:
    first = found[0]
    more = f", and {n_violations - 1} more" if n_violations > 1 else ""
    return (
        f"values unlike those of the training: row {first.row}, {first.column}: {first.text}{more}"
    )
