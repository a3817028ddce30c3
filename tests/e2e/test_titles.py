"""A table whose titles hold blanks, points, quotes, markup and other alphabets, all the way."""

import csv
import json
import random
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.paths import PROJECT_DIR
from tests.helpers.server_process import ServerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NUMBERS = [
    *("Width (cm)", "sepal.length", "Größe", "価格", "Age?", "a/b", "2020", "quoted, title", "%"),
    *("😀", '5" pipe', "a b", "a_b", "A B", "self", "when_month", "gaps_missing", "it's", "_a"),
    *("<script>alert(1)</script>", "{x}", "examples", "example_weight", "predictions", "gaps"),
]
WORDS = ["class", "city name"]
LABEL, WEIGHT, DATE = "Label = ?", "weight kg", "when"
COLUMNS = [*NUMBERS, *WORDS, DATE]


def write_tables(folder: Path) -> None:
    """Writes the table, and rows to predict for in another order of the columns."""
    draw = random.Random(1)
    rows = []
    for number in range(300):
        label = draw.choice(["yes", "no"])
        cells = {name: f"{draw.gauss(1 if label == 'yes' else -1, 1):.3f}" for name in NUMBERS}
        cells["gaps"] = "" if number % 9 == 0 else cells["gaps"]
        cells |= {name: draw.choice(["u v", "Köln", "x:y"]) for name in WORDS}
        cells |= {WEIGHT: "1.5", DATE: f"2024-{draw.randint(1, 12):02}-05", LABEL: label}
        rows.append(cells)
    for name, titles, some in [
        ("data.csv", [*COLUMNS, WEIGHT, LABEL], rows),
        ("new.csv", COLUMNS[::-1], rows[:20]),
    ]:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([f" {title}" for title in titles])
            writer.writerows([[cells[title] for title in titles] for cells in some])


def test_titles_are_names_everywhere(tmp_path: Path) -> None:
    write_tables(tmp_path)
    config, output = tmp_path / "config.yaml", tmp_path / "out.csv"
    init = [sys.executable, "-m", "pipeline", "init", str(tmp_path / "data.csv")]
    subprocess.run([*init, f"--label={LABEL}", f"--output={config}"], cwd=PROJECT_DIR, check=True)
    assert "rename" not in config.read_text(encoding="utf-8")
    settings = [
        *(f"features.{WEIGHT}=ignore", f"data.weight={WEIGHT}", 'features."sepal.length"=numeric'),
        "features.c x c={kind: crossed, columns: [class, city name], size: 20}",
        "features.gaps={kind: numeric, fill: mean, missing_indicator: true}",
        *("model.type=wide_deep", "evaluation.slices=[[city name], [class, city name]]"),
    ]
    options = ["--config", str(config), *(part for each in settings for part in ("--set", each))]
    workspace = Workspace(tmp_path / "state")

    report = workspace.run(*options)
    done = workspace.call(
        "predict", *options, "--input", str(tmp_path / "new.csv"), "--output", str(output)
    )

    assert done.returncode == 0, done.stderr
    assert report["blessed"] is True
    with output.open(encoding="utf-8", newline="") as file:
        predicted = list(csv.DictReader(file))
    assert list(predicted[0])[: len(COLUMNS)] == COLUMNS[::-1]
    expected = np.float32([row["probability_yes"] for row in predicted])
    check_mlflow(workspace)
    with ServerProcess("--config", str(config), "--set", f"paths.root={workspace.root}") as server:
        check_served(server, report, predicted, expected)


def check_mlflow(workspace: Workspace) -> None:
    client = workspace.mlflow()
    experiment = client.get_experiment_by_name("data")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["features.sepal.length"] == "numeric"
    assert run.data.params["features.Width .x28.cm.x29."] == "numeric"
    assert run.data.params["features.価格"] == "numeric"
    assert "slice/city name:Köln/accuracy" in run.data.metrics


def check_served(
    server: ServerProcess, report: dict[str, Any], rows: list[dict[str, str]], expected: Any
) -> None:
    model = Path(report["pushed_path"]).parent.name
    address = f"http://127.0.0.1:{server.rest_port}"
    full = [row for row in rows if row["gaps"]]
    probabilities = expected[[bool(row["gaps"]) for row in rows]]
    columns: dict[str, list[Any]] = {
        name: [float(row[name]) if name in NUMBERS else row[name] for row in full]
        for name in COLUMNS
    }
    instances = [
        dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
    ]

    by_row = ask(f"{address}/v1/models/{model}:predict", {"instances": instances})["predictions"]
    found = [row["probabilities"][1] for row in by_row]
    np.testing.assert_allclose(found, probabilities, atol=1e-5)
    by_column = ask(f"{address}/v1/models/{model}:predict", {"inputs": columns})["outputs"]
    np.testing.assert_allclose(np.array(by_column["probabilities"])[:, 1], probabilities, atol=1e-5)
    classified = ask(
        f"{address}/v1/models/{model}:classify",
        {"signature_name": "classify", "examples": instances},
    )["results"]
    np.testing.assert_allclose([dict(row)["yes"] for row in classified], probabilities, atol=1e-5)
    with grpc.insecure_channel(server.grpc_address) as channel:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        for name, values in columns.items():
            dtype = tf.float32 if name in NUMBERS else tf.string
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values, dtype))
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = tf.make_ndarray(stub.Predict(request, timeout=60).outputs["probabilities"])
    np.testing.assert_allclose(answer[:, 1], probabilities, atol=1e-5)
    with urllib.request.urlopen(f"{address}/", timeout=60) as response:
        page = response.read().decode()
    assert 'data-name="&lt;script&gt;alert(1)&lt;/script&gt;"' in page
    assert 'data-name="5&quot; pipe"' in page
    assert "<script>alert" not in page


def ask(url: str, document: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(document).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())
