"""The methods of TensorFlow Serving's gRPC services: from a request message to the response.

Source: tensorflow_serving/servables/tensorflow/{predict_util,util,multi_inference}.cc and
model_servers/server_core.cc, whose error codes and texts clients rely on.
"""

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.errors import Code, ServingError, invalid
from serving.formats.example_json import check_examples
from serving.formats.tensor_proto import read_tensors, serialize_output
from serving.interfaces.admission import submit
from serving.interfaces.classify_regress import (
    CLASSIFY_METHOD,
    EXAMPLES_INPUT,
    REGRESS_METHOD,
    classification_of,
    find_signature,
    regression_of,
)
from serving.models.batching import Outputs
from serving.models.catalog import Catalog
from serving.models.engine import Signature
from serving.models.versions import ServedVersion
from serving.settings import ServingSettings
from trainer.signatures import SERVING_SIGNATURE

_SIGNATURES = "signature_def"
_NO_VALUES = np.empty(0)


class Methods:
    """The methods of both services.

    Each takes a request message and returns the serialized response, or raises ServingError.
    """

    def __init__(self, catalog: Catalog, settings: ServingSettings) -> None:
        self._catalog = catalog
        self._settings = settings

    async def predict(self, request: Any) -> bytes:
        """Runs any signature on tensors."""
        spec = _spec_of(request)
        with self._find(spec) as served:
            name = spec.signature_name or SERVING_SIGNATURE
            signature = served.engine.signatures.get(name)
            if signature is None:
                raise ServingError(
                    Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
                )
            if set(request.inputs) != signature.inputs.keys():
                signature.check(dict.fromkeys(request.inputs, _NO_VALUES))
            aliases = _choose_outputs(signature, request.output_filter)
            inputs = read_tensors(request.inputs, self._settings.limits.body_bytes)
            outputs = await submit(served, signature, inputs, self._settings)
        response = predict_pb2.PredictResponse()
        _fill_spec(served, name, response.model_spec)
        return _serialize(response) + b"".join(
            [serialize_output(alias, outputs[alias]) for alias in aliases]
        )

    async def classify(self, request: Any) -> bytes:
        """Returns labels and scores for each `tf.Example`."""
        response = classification_pb2.ClassificationResponse()
        spec = _spec_of(request)
        with self._find(spec) as served:
            await self._classify(served, spec, request.input, response)
        return _serialize(response)

    async def regress(self, request: Any) -> bytes:
        """Returns a number for each `tf.Example`."""
        response = regression_pb2.RegressionResponse()
        spec = _spec_of(request)
        with self._find(spec) as served:
            await self._regress(served, spec, request.input, response)
        return _serialize(response)

    async def multi_inference(self, request: Any) -> bytes:
        """Runs several signatures of one version on the same `tf.Example`s."""
        response = inference_pb2.MultiInferenceResponse()
        specs = [_spec_of(task) for task in request.tasks]
        if not specs:
            raise invalid("Missing ModelSpec")
        if len({spec.name for spec in specs}) > 1:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        seen: set[str] = set()
        for name in (spec.signature_name or SERVING_SIGNATURE for spec in specs):
            if name in seen:
                raise invalid(f"Duplicate evaluation of signature: {name}")
            seen.add(name)
        with self._find(specs[0]) as served:
            for task, spec in zip(request.tasks, specs, strict=True):
                result = response.results.add()
                if task.method_name == CLASSIFY_METHOD:
                    await self._classify(served, spec, request.input, result)
                elif task.method_name == REGRESS_METHOD:
                    await self._regress(served, spec, request.input, result)
                else:
                    raise ServingError(
                        Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}"
                    )
        return _serialize(response)

    async def get_model_metadata(self, request: Any) -> bytes:
        """Returns the signatures of a version."""
        spec = _spec_of(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._find(spec) as served:
            _fill_spec(served, "", response.model_spec)
            for name, signature in served.engine.signature_defs.items():
                signatures.signature_def[name].CopyFrom(signature)
        response.metadata[_SIGNATURES].Pack(signatures)
        return _serialize(response)

    async def get_model_status(self, request: Any) -> bytes:
        """Returns the states of a model's versions."""
        spec = _spec_of(request)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._catalog.statuses(spec.name, *_version_of(spec)):
            status = response.model_version_status.add(version=version.number, state=version.state)
            status.status.error_code = version.code
            status.status.error_message = version.message
        return _serialize(response)

    async def reload_config(self, request: Any) -> NoReturn:
        """Raises UNIMPLEMENTED: models come from the command line, versions from their folders."""
        raise ServingError(
            Code.UNIMPLEMENTED,
            "models cannot be changed while the server runs; versions follow the models' folders",
        )

    async def _classify(
        self, served: ServedVersion, spec: Any, input_proto: Any, response: Any
    ) -> None:
        """Fills a ClassificationResponse or an InferenceResult."""
        n_examples, outputs = await self._infer(
            served, spec, CLASSIFY_METHOD, input_proto, response
        )
        is_single = isinstance(response, classification_pb2.ClassificationResponse)
        result = response.result if is_single else response.classification_result
        for labels, scores in zip(*classification_of(outputs, n_examples), strict=True):
            classifications = result.classifications.add()
            for label, score in zip(labels, scores.tolist(), strict=True):
                classifications.classes.add(label=label, score=score)

    async def _regress(
        self, served: ServedVersion, spec: Any, input_proto: Any, response: Any
    ) -> None:
        """Fills a RegressionResponse or an InferenceResult."""
        n_examples, outputs = await self._infer(served, spec, REGRESS_METHOD, input_proto, response)
        is_single = isinstance(response, regression_pb2.RegressionResponse)
        result = response.result if is_single else response.regression_result
        for value in regression_of(outputs, n_examples).tolist():
            result.regressions.add(value=value)

    async def _infer(
        self, served: ServedVersion, spec: Any, method: str, input_proto: Any, response: Any
    ) -> tuple[int, Outputs]:
        signature = find_signature(served.engine.signatures, spec.signature_name, method)
        examples = self._serialize_examples(input_proto)
        _fill_spec(served, signature.name, response.model_spec)
        inputs = {EXAMPLES_INPUT: examples}
        return len(examples), await submit(served, signature, inputs, self._settings)

    def _serialize_examples(self, input_proto: Any) -> NDArray[Any]:
        """Serializes the examples of an Input, string `[n_examples]`.

        Features of the context are added; an example's feature of the same name takes precedence.
        """
        kind = input_proto.WhichOneof("kind")
        examples = getattr(input_proto, kind).examples if kind else []
        if not examples:
            raise invalid("Input is empty.")
        context = b""
        if kind == "example_list_with_context":
            context = input_proto.example_list_with_context.context.SerializeToString()
        check_examples(len(examples), len(context), self._settings.limits)
        values = np.empty(len(examples), object)
        # Parsing concatenated messages merges them; in a map, the later entry wins.
        values[:] = [context + example.SerializeToString() for example in examples]
        return values

    def _find(self, spec: Any) -> ServedVersion:
        return self._catalog.find(spec.name, *_version_of(spec))


def _serialize(response: Any) -> bytes:
    serialized: bytes = response.SerializeToString()
    return serialized


def _spec_of(message: Any) -> Any:
    """Returns the ModelSpec of a request or a task.

    Raises:
        ServingError: INVALID_ARGUMENT, if it is missing or names no model.
    """
    if not message.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not message.model_spec.name:
        raise invalid("ModelSpec has no name specified.")
    return message.model_spec


def _version_of(spec: Any) -> tuple[int | None, str | None]:
    """Returns version number and version label of a ModelSpec; at most one is not None."""
    choice = spec.WhichOneof("version_choice")
    return (
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _fill_spec(served: ServedVersion, signature_name: str, spec: Any) -> None:
    """Fills the ModelSpec of a response with the version that answered."""
    spec.name = served.model
    spec.version.value = served.number
    spec.signature_name = signature_name


def _choose_outputs(signature: Signature, aliases: Iterable[str]) -> list[str]:
    """Returns the names of the outputs to send: those of the filter, or all without a filter.

    Raises:
        ServingError: INVALID_ARGUMENT, if a name is unknown or repeated.
    """
    chosen: list[str] = []
    for alias in aliases:
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias}"
                f" Outputs expected to be in the set {{{','.join(sorted(signature.outputs))}}}."
            )
        if alias in chosen:
            raise invalid(f"duplicate output tensor alias: {alias}")
        chosen.append(alias)
    return chosen or list(signature.outputs)
