"""A gRPC client of the server, and the requests that tests send with it."""

from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2_grpc
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.helpers.served_models import ServerThread

PREDICT_PATH = "/tensorflow.serving.PredictionService/Predict"


class GrpcClient:
    """The stubs of all services of a server.

    Attributes:
        channel: The open channel.
        predictions: PredictionService.
        models: ModelService.
        health: gRPC's health service.
    """

    def __init__(self, server: ServerThread) -> None:
        self.channel = grpc.insecure_channel(server.grpc_address)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def predict(
        self, values: Any = (1.0, 2.0), name: str = "x", timeout: float = 20, **spec: Any
    ) -> Any:
        """Calls Predict with one input; `spec` is that of `fill_spec`."""
        return self.predictions.Predict(predict_request(values, name, **spec), timeout=timeout)

    def close(self) -> None:
        self.channel.close()


def fill_spec(
    message: Any,
    model: str = "half",
    signature: Any = "",
    version: int | None = None,
    label: str | None = None,
) -> Any:
    """Fills the ModelSpec of a request or a task, and returns the message."""
    message.model_spec.name = model
    message.model_spec.signature_name = signature
    if version is not None:
        message.model_spec.version.value = version
    if label is not None:
        message.model_spec.version_label = label
    return message


def predict_request(
    values: Any = (1.0, 2.0), name: str = "x", *, outputs: Any = (), **spec: Any
) -> predict_pb2.PredictRequest:
    """Makes a request with one input, float32 unless it is a TensorProto, and an output filter."""
    request = fill_spec(predict_pb2.PredictRequest(output_filter=outputs), **spec)
    if not isinstance(values, tensor_pb2.TensorProto):
        values = tf.make_tensor_proto(np.array(values, np.float32))
    request.inputs[name].CopyFrom(values)
    return request


def make_example(**numbers: float) -> example_pb2.Example:
    """Makes an example of float features."""
    features = {
        name: tf.train.Feature(float_list=tf.train.FloatList(value=[number]))
        for name, number in numbers.items()
    }
    return example_pb2.Example(features=tf.train.Features(feature=features))


def add_examples(message: Any, *xs: float) -> Any:
    """Adds an example with the feature `x` for each number, and returns the message."""
    message.input.example_list.examples.extend(make_example(x=x) for x in xs)
    return message


def error_of(method: Any, request: Any, timeout: float = 20) -> tuple[str, str]:
    """Calls a method that must fail; returns the code's name and the text of the error."""
    with pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=timeout)
    return caught.value.code().name, caught.value.details()
