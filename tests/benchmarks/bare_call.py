"""Measures calls of the model without a server: python bare_call.py MODEL_DIR SECONDS.

Prints one JSON object: medians of a call in milliseconds, `p50` with `Session.make_callable` and
TensorFlow's single-threaded executor, and `engine` with the server's engine.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from serving.models.engine import Engine, Signature
from trainer.signatures import SERVING_SIGNATURE


def make_single_threaded(model_dir: Path, signature: Signature) -> Callable[..., object]:
    """Loads the model for calls of its signature by the single-threaded executor."""
    config = tf.compat.v1.ConfigProto(inter_op_parallelism_threads=-1)
    config.intra_op_parallelism_threads = 1
    config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default():
        tf.compat.v1.saved_model.load(session, ["serve"], str(model_dir))
    call: Callable[..., object] = session.make_callable(
        {name: tensor.name for name, tensor in signature.outputs.items()},
        [tensor.name for tensor in signature.inputs.values()],
    )
    return call


def median(call: Callable[[], object], seconds: float) -> float:
    """Measures calls after a warm-up, in milliseconds."""
    for _ in range(200):
        call()
    milliseconds = []
    start = time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        call()
        milliseconds.append((time.perf_counter() - now) * 1000)
    return statistics.median(milliseconds)


if __name__ == "__main__":
    model_dir, seconds = Path(sys.argv[1]), float(sys.argv[2])
    engine = Engine(model_dir)
    signature = engine.signatures[SERVING_SIGNATURE]
    inputs = {name: np.full(1, 5, np.float32) for name in signature.inputs}
    bare = make_single_threaded(model_dir, signature)
    told = {
        "p50": median(lambda: bare(*inputs.values()), seconds / 2),
        "engine": median(lambda: engine.run(signature, inputs), seconds / 2),
    }
    print(json.dumps(told))
