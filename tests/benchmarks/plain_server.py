"""A server as simple as possible: a FastAPI handler that calls the signature.

python plain_server.py MODEL_DIR PORT
"""

import sys

import tensorflow as tf
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

model_dir, port = sys.argv[1], int(sys.argv[2])
app = FastAPI()
model = tf.saved_model.load(model_dir)
signature = model.signatures["serving_default"]


class Row(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Request(BaseModel):
    instances: list[Row]


@app.post("/predict")
def predict(request: Request) -> dict[str, list[list[float]]]:
    columns = {
        name: tf.constant([getattr(row, name) for row in request.instances])
        for name in Row.model_fields
    }
    return {"predictions": signature(**columns)["probabilities"].numpy().tolist()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
