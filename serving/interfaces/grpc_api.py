"""The gRPC server with TensorFlow Serving's services: limits, errors and metrics of each call."""

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
from serving.interfaces.grpc_health import Health
from serving.interfaces.grpc_methods import Methods
from serving.models.catalog import Catalog
from serving.settings import ServingSettings
from serving.suspects import RequestWatch
from serving.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)
_MAX_MESSAGE_BYTES = 1024
"""Longer error texts are cut, as in TensorFlow Serving."""
_STATUS: Mapping[int, grpc.StatusCode] = {status.value[0]: status for status in grpc.StatusCode}

_Method = Callable[[Any], Awaitable[bytes]]
"""Takes a request message and returns the serialized response."""


def make_grpc_server(
    catalog: Catalog, settings: ServingSettings, metrics: Metrics, watch: RequestWatch
) -> grpc.aio.Server:
    """Makes the gRPC server, without a port and not started.

    Args:
        catalog: The models.
        settings: The section `serving`.
        metrics: Observes each request.
        watch: Refuses requests that end processes.

    Raises:
        RuntimeError: If protobuf runs in pure Python.
    """
    require_fast_protobuf()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC would log each broken connection
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.limits.body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 1),
        ],
        maximum_concurrent_rpcs=settings.limits.connections,
    )
    services = _services(Methods(catalog, settings))
    for service, methods in services.items():
        handlers = {
            name: _make_handler(name, request_type, method, settings, metrics, watch)
            for name, (request_type, method) in methods.items()
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    health = Health(catalog, settings.versions.poll_seconds)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names = [*services, _name_of(health_pb2, "Health"), reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    return server


def require_fast_protobuf() -> None:
    """Checks that protobuf uses its C++ implementation, which is ten times faster.

    Raises:
        RuntimeError: If it runs in pure Python.
    """
    if api_implementation.Type() == "python":
        raise RuntimeError(
            "protobuf runs in pure Python here, which is ten times slower:"
            " unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION, or reinstall protobuf"
        )


def _services(methods: Methods) -> dict[str, dict[str, tuple[Any, _Method]]]:
    """Maps service name and method name to the request's type and the method."""
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
    method: _Method,
    settings: ServingSettings,
    metrics: Metrics,
    watch: RequestWatch,
) -> grpc.RpcMethodHandler:
    max_seconds = settings.limits.timeout_seconds
    no_message = f"no {request_type.DESCRIPTOR.name} message was sent"

    async def handle(_: Any, context: Any) -> bytes:
        start = time.perf_counter()
        model, note, code = "", None, Code.UNKNOWN
        remaining = context.time_remaining()
        timeout = _Timeout(max_seconds if remaining is None else min(remaining, max_seconds))
        try:
            body = await context.read()
            request = request_type()
            if body is not grpc.aio.EOF:
                note = watch.begin(entrypoint.encode(), body)
                if request.MergeFromString(body) != len(body):
                    raise DecodeError  # protobuf's parser only warns of trailing bytes
            model = _model_of(request)
            response = await method(request)
            code = Code.OK
            return response
        except ServingError as error:
            code, message = error.code, error.message
        except DecodeError:
            code, message = Code.INVALID_ARGUMENT, no_message
        except asyncio.CancelledError:
            code, message = Code.DEADLINE_EXCEEDED, "Deadline Exceeded"
            if not timeout.is_over:  # the client has gone
                code = Code.CANCELLED
                raise
        except Exception:
            _log.exception("%s failed", entrypoint)
            code, message = Code.INTERNAL, "internal error"
        finally:
            timeout.timer.cancel()
            if note is not None:
                watch.end(note)
            metrics.observe_request(model, "GRPC", entrypoint, code, time.perf_counter() - start)
        await context.abort(_STATUS[code], _cut(message))
        raise AssertionError("abort returned")

    # Declared as a stream of requests: only then can the handler limit the time until the message
    # has arrived.
    return grpc.stream_unary_rpc_method_handler(handle)


class _Timeout:
    """Cancels the current task after some time, and with it the request to the model.

    Attributes:
        is_over: Whether the time has passed. Comparing clocks would not tell, since uvloop rounds.
        timer: The timer of the event loop, to be cancelled when the task is done.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._task = asyncio.current_task()
        self.timer = asyncio.get_running_loop().call_later(seconds, self._end)

    def _end(self) -> None:
        assert self._task is not None
        self.is_over = True
        self._task.cancel()


def _model_of(request: Any) -> str:
    """Returns the model's name in a request of any method; empty if it has none."""
    if isinstance(request, inference_pb2.MultiInferenceRequest):
        return str(request.tasks[0].model_spec.name) if request.tasks else ""
    if isinstance(request, model_management_pb2.ReloadConfigRequest):
        return ""
    return str(request.model_spec.name)


def _cut(message: str) -> str:
    data = message.encode()
    if len(data) <= _MAX_MESSAGE_BYTES:
        return message
    return data[:_MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
