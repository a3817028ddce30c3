"""What the model alone takes for a row, without a server: python bare_call.py MODEL_DIR SECONDS.

Prints one JSON object: the median of a call in milliseconds, and calls per second.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from serving.engine import Engine
from trainer.signatures import SERVING_SIGNATURE

if __name__ == "__main__":
    model_dir, seconds = Path(sys.argv[1]), float(sys.argv[2])
    engine = Engine(model_dir)
    signature = engine.signatures[SERVING_SIGNATURE]
    inputs = {name: np.full(1, 5, np.float32) for name in signature.inputs}
    for _ in range(200):
        engine.run(signature, inputs)
    milliseconds = []
    start = time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        engine.run(signature, inputs)
        milliseconds.append((time.perf_counter() - now) * 1000)
    print(json.dumps({"p50": statistics.median(milliseconds), "rate": len(milliseconds) / seconds}))
