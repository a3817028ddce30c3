"""What the server counts and measures."""

from collections.abc import Mapping

from serving.batching import OnBatch
from serving.columns import Column
from serving.engine import Arrays, Signature
from serving.errors import Code


class Metrics:
    """The metrics of one server."""

    def observe_request(
        self, model: str, api: str, entrypoint: str, code: Code, seconds: float
    ) -> None:
        """Counts a request.

        Args:
            model: The model it names; it need not exist.
            api: `REST` or `GRPC`.
            entrypoint: `Predict`, `Classify`, `Regress`, `GetModelMetadata`, `GetModelStatus`.
            code: What came of it.
            seconds: How long it took.
        """

    def make_on_batch(self, model: str, columns: Mapping[str, Column]) -> OnBatch:
        """Makes what is told of each call of a version of a model."""

        def on_batch(
            signature: Signature, inputs: Arrays, n_examples: int, seconds: float
        ) -> None: ...

        return on_batch
