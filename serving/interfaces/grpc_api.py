"""TensorFlow Serving's gRPC interface: from a request to its answer.

Source: tensorflow_serving/servables/tensorflow/{predict_util,util,multi_inference}.cc and
model_servers/server_core.cc, whose codes and texts clients know.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NoReturn

import grpc
import numpy as np
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from numpy.typing import NDArray
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
    regression_pb2,
)

from serving.errors import Code, ServingError, invalid
from serving.formats.tensor_proto import arrays_of, serialize_output
from serving.interfaces.admission import hold_to_limit, submit
from serving.interfaces.classify_regress import (
    CLASSIFY_METHOD,
    EXAMPLES_INPUT,
    REGRESS_METHOD,
    classification_of,
    find_classic_signature,
    regression_of,
)
from serving.interfaces.grpc_health import Health
from serving.models.batching import Outputs
from serving.models.engine import Signature
from serving.models.versions import Catalog, ServedVersion
from serving.settings import ServingSettings
from serving.telemetry.metrics import Metrics
from trainer.signatures import SERVING_SIGNATURE

_log = logging.getLogger(__name__)
_LONGEST_MESSAGE = 1024
"""Bytes of an error's text, as in TensorFlow Serving."""
_STATUS: Mapping[int, grpc.StatusCode] = {status.value[0]: status for status in grpc.StatusCode}
_SIGNATURES = "signature_def"
_NO_VALUES = np.empty(0)

_Answer = Callable[[Any], Awaitable[bytes]]
"""Makes the serialized response to a request."""


def make_grpc_server(
    catalog: Catalog, settings: ServingSettings, metrics: Metrics
) -> grpc.aio.Server:
    """Makes the server, which listens nowhere yet.

    Args:
        catalog: The models.
        settings: The limits, and how many processes share the port.
        metrics: Told of each request.

    Raises:
        RuntimeError: If protocol buffers run in pure Python.
    """
    require_fast_protobuf()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it logs each connection that breaks off
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.limits.body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", int(settings.workers > 1)),
        ],
        maximum_concurrent_rpcs=settings.limits.connections,
    )
    methods = Methods(catalog, settings)
    services = _services(methods)
    for service, answers in services.items():
        handlers = {
            name: _make_handler(name, request_type, answer, settings, metrics)
            for name, (request_type, answer) in answers.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    health = Health(catalog, settings.versions.poll_seconds)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [*services, _name_of(health_pb2, "Health"), reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    return server


def require_fast_protobuf() -> None:
    """Holds protocol buffers to their C++ implementation, a tenth of the time per message.

    Raises:
        RuntimeError: If they run in pure Python.
    """
    if api_implementation.Type() == "python":
        raise RuntimeError(
            "protocol buffers run in pure Python here, which is ten times slower:"
            " unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION, or install protobuf anew"
        )


def _services(methods: "Methods") -> dict[str, dict[str, tuple[Any, _Answer]]]:
    """Lists service to method to the type of its request and who answers it."""
    return {
        _name_of(prediction_service_pb2, "PredictionService"): {
            "Predict": (predict_pb2.PredictRequest, methods.predict),
            "Classify": (classification_pb2.ClassificationRequest, methods.classify),
            "Regress": (regression_pb2.RegressionRequest, methods.regress),
            "MultiInference": (inference_pb2.MultiInferenceRequest, methods.multi_inference),
            "GetModelMetadata": (
                get_model_metadata_pb2.GetModelMetadataRequest,
                methods.get_model_metadata,
            ),
        },
        _name_of(model_service_pb2, "ModelService"): {
            "GetModelStatus": (
                get_model_status_pb2.GetModelStatusRequest,
                methods.get_model_status,
            ),
            "HandleReloadConfigRequest": (
                model_management_pb2.ReloadConfigRequest,
                methods.reload_config,
            ),
        },
    }


def _name_of(module: Any, service: str) -> str:
    return str(module.DESCRIPTOR.services_by_name[service].full_name)


def _make_handler(
    entrypoint: str,
    request_type: Any,
    answer: _Answer,
    settings: ServingSettings,
    metrics: Metrics,
) -> grpc.RpcMethodHandler:
    longest = settings.limits.timeout_seconds
    nothing = f"no {request_type.DESCRIPTOR.name} message was sent"

    async def handle(_: Any, context: Any) -> bytes:
        start = time.perf_counter()
        model, code = "", Code.UNKNOWN
        remaining = context.time_remaining()
        limit = _Limit(longest if remaining is None else min(remaining, longest))
        try:
            body = await context.read()
            request = request_type()
            if body is not grpc.aio.EOF and request.MergeFromString(body) != len(body):
                raise DecodeError  # the rest is what protobuf's parser only warns of
            model = _model_of(request)
            response = await answer(request)
            code = Code.OK
            return response
        except ServingError as error:
            code, message = error.code, error.message
        except DecodeError:
            code, message = Code.INVALID_ARGUMENT, nothing
        except asyncio.CancelledError:
            code, message = Code.DEADLINE_EXCEEDED, "Deadline Exceeded"
            if not limit.is_over:  # the client has gone
                code = Code.CANCELLED
                raise
        except Exception:
            _log.exception("%s failed", entrypoint)
            code, message = Code.INTERNAL, "internal error"
        finally:
            limit.timer.cancel()
            metrics.observe_request(model, "GRPC", entrypoint, code, time.perf_counter() - start)
        await context.abort(_STATUS[code], _cut(message))
        raise AssertionError("abort returned")

    # Of a stream, since only there the time is ours in which a message arrives.
    return grpc.stream_unary_rpc_method_handler(handle)


class _Limit:
    """Cancels the running task in time, and with it the call of the model that it waits for."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False  # as the clock, which uvloop rounds, cannot tell
        self._task = asyncio.current_task()
        self.timer = asyncio.get_running_loop().call_later(seconds, self._end)

    def _end(self) -> None:
        assert self._task is not None
        self.is_over = True
        self._task.cancel()


def _model_of(request: Any) -> str:
    """Names the model of a request of any sort; empty where it names none."""
    if isinstance(request, inference_pb2.MultiInferenceRequest):
        return str(request.tasks[0].model_spec.name) if request.tasks else ""
    if isinstance(request, model_management_pb2.ReloadConfigRequest):
        return ""
    return str(request.model_spec.name)


def _cut(message: str) -> str:
    data = message.encode()
    if len(data) <= _LONGEST_MESSAGE:
        return message
    return data[:_LONGEST_MESSAGE].decode(errors="ignore") + "...TRUNCATED"


class Methods:
    """The methods, from a request to the serialized response.

    Each raises ServingError where it has no answer.
    """

    def __init__(self, catalog: Catalog, settings: ServingSettings) -> None:
        """Keeps both."""
        self._catalog = catalog
        self._settings = settings

    async def predict(self, request: Any) -> bytes:
        """Asks any signature, by tensors."""
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
            inputs = arrays_of(request.inputs, self._settings.limits.body_bytes)
            outputs = await submit(served, signature, inputs, self._settings)
        response = predict_pb2.PredictResponse()
        _echo(served, name, response.model_spec)
        return _serialize(response) + b"".join(
            [serialize_output(alias, outputs[alias]) for alias in aliases]
        )

    async def classify(self, request: Any) -> bytes:
        """Asks for the classes of tf.Examples."""
        response = classification_pb2.ClassificationResponse()
        spec = _spec_of(request)
        with self._find(spec) as served:
            await self._classify(served, spec, request.input, response)
        return _serialize(response)

    async def regress(self, request: Any) -> bytes:
        """Asks for a number of each tf.Example."""
        response = regression_pb2.RegressionResponse()
        spec = _spec_of(request)
        with self._find(spec) as served:
            await self._regress(served, spec, request.input, response)
        return _serialize(response)

    async def multi_inference(self, request: Any) -> bytes:
        """Asks several signatures of one version to classify or regress the same tf.Examples."""
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
        """Describes the signatures of a version."""
        spec = _spec_of(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._find(spec) as served:
            _echo(served, "", response.model_spec)
            for name, signature in served.engine.signature_defs.items():
                signatures.signature_def[name].CopyFrom(signature)
        response.metadata[_SIGNATURES].Pack(signatures)
        return _serialize(response)

    async def get_model_status(self, request: Any) -> bytes:
        """Tells what became of the versions of a model."""
        spec = _spec_of(request)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._catalog.statuses(spec.name, *_version_of(spec)):
            status = response.model_version_status.add(version=version.number, state=version.state)
            status.status.error_code = version.code
            status.status.error_message = version.message
        return _serialize(response)

    async def reload_config(self, request: Any) -> NoReturn:
        """Refuses: what is served follows the folders, and the server's own settings."""
        raise ServingError(
            Code.UNIMPLEMENTED,
            "the models are those the server was started with; their versions follow the folders",
        )

    async def _classify(self, served: ServedVersion, spec: Any, sent: Any, answer: Any) -> None:
        """Fills a ClassificationResponse or an InferenceResult."""
        n_examples, outputs = await self._infer(served, spec, CLASSIFY_METHOD, sent, answer)
        is_single = isinstance(answer, classification_pb2.ClassificationResponse)
        result = answer.result if is_single else answer.classification_result
        for labels, scores in zip(*classification_of(outputs, n_examples), strict=True):
            classifications = result.classifications.add()
            for label, score in zip(labels, scores.tolist(), strict=True):
                classifications.classes.add(label=label, score=score)

    async def _regress(self, served: ServedVersion, spec: Any, sent: Any, answer: Any) -> None:
        """Fills a RegressionResponse or an InferenceResult."""
        n_examples, outputs = await self._infer(served, spec, REGRESS_METHOD, sent, answer)
        is_single = isinstance(answer, regression_pb2.RegressionResponse)
        result = answer.result if is_single else answer.regression_result
        for value in regression_of(outputs, n_examples).tolist():
            result.regressions.add(value=value)

    async def _infer(
        self, served: ServedVersion, spec: Any, method: str, sent: Any, answer: Any
    ) -> tuple[int, Outputs]:
        signature = find_classic_signature(served.engine.signatures, spec.signature_name, method)
        examples = self._examples_of(sent)
        _echo(served, signature.name, answer.model_spec)
        inputs = {EXAMPLES_INPUT: examples}
        return len(examples), await submit(served, signature, inputs, self._settings)

    def _examples_of(self, sent: Any) -> NDArray[Any]:
        """Serializes the examples of an Input, string `[n_examples]`; an own feature goes first."""
        kind = sent.WhichOneof("kind")
        examples = getattr(sent, kind).examples if kind else []
        if not examples:
            raise invalid("Input is empty.")
        hold_to_limit(len(examples), self._settings)
        context = b""
        if kind == "example_list_with_context":
            context = sent.example_list_with_context.context.SerializeToString()
            if len(context) * len(examples) > self._settings.limits.body_bytes:
                raise invalid("the context is too large for that many examples")
        values = np.empty(len(examples), object)
        # One message after another is the two merged, the later one's features before the others.
        values[:] = [context + example.SerializeToString() for example in examples]
        return values

    def _find(self, spec: Any) -> ServedVersion:
        return self._catalog.find(spec.name, *_version_of(spec))


def _serialize(response: Any) -> bytes:
    serialized: bytes = response.SerializeToString()
    return serialized


def _spec_of(message: Any) -> Any:
    """Takes the ModelSpec of a request or a task."""
    if not message.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    if not message.model_spec.name:
        raise invalid("ModelSpec has no name specified.")
    return message.model_spec


def _version_of(spec: Any) -> tuple[int | None, str | None]:
    """Tells which version a ModelSpec asks for, and by which label."""
    choice = spec.WhichOneof("version_choice")
    return (
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _echo(served: ServedVersion, signature_name: str, spec: Any) -> None:
    """Tells in the ModelSpec of a response who has answered."""
    spec.name = served.model
    spec.version.value = served.number
    spec.signature_name = signature_name


def _choose_outputs(signature: Signature, aliases: Iterable[str]) -> list[str]:
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
