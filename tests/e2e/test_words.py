"""Tags and text, found by `auto`: trained, pushed, served and predicted."""

import csv
import http.client
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.server_process import ServerProcess

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

CONFIG = """
name: words
task: binary
data: {path: words.csv, label: y, positive: up}
features: auto
model: {type: wide_deep, optimizer: adam, learning_rate: 0.01}
train: {steps: 200, batch_size: 32, class_weights: balanced}
evaluation: {thresholds: {auc: {min: 0.8}}, slices: [[tags]]}
"""
TAGS = ["red", "green", "blue", "black", "Größe"]
WORDS = ["price", "was", "good", "bad", "slow", "quick", "service", "室", "staff", "very", "not"]
NEW: list[dict[str, str]] = [
    {"tags": "red|new|red", "review": "GOOD, good; unheard of!"},
    {"tags": "", "review": ""},
    {"tags": " Größe ", "review": "bad 室 " * 2**17},  # 1 MiB
]


def write_table(path: Path) -> None:
    rng = random.Random(3)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["tags", "review", "y"])
        for _ in range(500):
            tags = rng.sample(TAGS, rng.randrange(4))
            said = [rng.choice(WORDS) for _ in range(rng.randrange(5, 20))]
            score = 2 * ("red" in tags) + said.count("good") - said.count("bad")
            writer.writerow(["|".join(tags), " ".join(said), "up" if score > 0 else "down"])


def test_tags_and_text_get_the_same_answer_everywhere(tmp_path: Path) -> None:
    write_table(tmp_path / "words.csv")
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    workspace = Workspace(tmp_path / "artifacts")

    report = workspace.run("--config", str(config))

    assert report["pushed_version"] is not None
    assert report["warnings"] == []
    source, target = tmp_path / "new.csv", tmp_path / "predictions.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["tags", "review"])
        writer.writeheader()
        writer.writerows(NEW)
    done = workspace.call(
        *("predict", "--config", str(config), "--input", str(source), "--output", str(target))
    )
    assert done.returncode == 0, done.stderr
    csv.field_size_limit(2**21)
    with target.open(encoding="utf-8", newline="") as file:
        predicted = [float(row["probability_up"]) for row in csv.DictReader(file)]
    assert predicted[0] > 0.5 > predicted[2]
    assert ask(str(Path(report["pushed_path"]).parent)) == pytest.approx(predicted, abs=1e-6)


def ask(folder: str) -> list[float]:
    """The probability of `up` for the new rows, by a server that checks values."""
    with ServerProcess("--validate", "--model", f"words={folder}") as server:
        connection = http.client.HTTPConnection("localhost", server.rest_port, timeout=60)
        connection.request("POST", "/v1/models/words:predict", json.dumps({"instances": NEW}))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.request("GET", "/")
        page = connection.getresponse().read().decode()
        connection.close()
    assert 'data-name="review"' in page
    assert 'data-name="tags"' in page
    assert "predictions" in answer, answer
    return np.array([row["probabilities"] for row in answer["predictions"]])[:, 1].tolist()
