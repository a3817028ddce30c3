"""TensorFlow Serving's gRPC interface."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
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

from serving.errors import Code, ServingError
from serving.metrics import Metrics
from serving.rpc.health import Health
from serving.rpc.methods import Methods
from serving.settings import ServingSettings
from serving.versions import Catalog

_log = logging.getLogger(__name__)
_LONGEST_MESSAGE = 1024
"""Bytes of an error's text, as in TensorFlow Serving."""
_STATUS: Mapping[int, grpc.StatusCode] = {status.value[0]: status for status in grpc.StatusCode}

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


def _services(methods: Methods) -> dict[str, dict[str, tuple[Any, _Answer]]]:
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
