"""From a CSV file without a configuration to a pushed model."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.paths import PROJECT_DIR

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def write_customers(path: Path, rows: int = 600) -> None:
    """Writes a table with columns of all kinds, some of which determine the label."""
    numbers = random.Random(1)
    lines = ["Kunde;Umsatz;Land;Stufe;Seit;Newsletter;Notiz;Immer;Bleibt"]
    for row in range(rows):
        revenue, country = numbers.gauss(50, 10), numbers.choice(["AT", "DE", "CH"])
        level, letter = numbers.randrange(1, 6), numbers.choice(["yes", "no"])
        since = f"{numbers.randrange(1, 29):02}.{numbers.randrange(1, 13):02}.2023"
        stays = revenue + 8 * level + 10 * (letter == "yes") > 79
        shown = "NA" if row % 25 == 0 else f"{revenue:.2f}".replace(".", ",")
        cells = [f"K{row}", shown, country, level, since, letter, f"note {row}", "x"]
        lines.append(";".join(map(str, [*cells, "ja" if stays else "nein"])))
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")


def test_init_leads_to_a_pushed_model(tmp_path: Path) -> None:
    write_customers(tmp_path / "customers.csv")
    config = tmp_path / "customers.yaml"
    command = [sys.executable, "-m", "pipeline", "init", str(tmp_path / "customers.csv")]

    subprocess.run([*command, "--label=Bleibt", f"--output={config}"], cwd=PROJECT_DIR, check=True)
    report = Workspace(tmp_path / "state").run("--config", str(config))

    assert report["blessed"] is True
    assert report["metrics"]["accuracy"] > 0.8
    answer = tf.saved_model.load(report["pushed_path"]).signatures["serving_default"](
        Umsatz=tf.constant([80.0, 20.0]),
        Land=tf.constant(["AT", "DE"]),
        Stufe=tf.constant(["5", "1"]),
        Seit=tf.constant(["01.02.2023", ""]),
        Newsletter=tf.constant(["yes", "no"]),
    )
    assert answer["classes"].numpy().ravel().tolist() == [b"ja", b"nein"]


def test_auto_features_lead_to_a_pushed_model(tmp_path: Path) -> None:
    write_customers(tmp_path / "customers.csv")
    (tmp_path / "customers.yaml").write_text(
        """
name: customers
task: binary
data:
  path: customers.csv
  csv: {separator: ";", decimal: ",", encoding: latin-1, null_values: [NA]}
  label: Bleibt
features: auto
evaluation:
  thresholds: {auc: {min: 0.5}}
""",
        encoding="utf-8",
    )
    workspace = Workspace(tmp_path / "state")

    done = workspace.call("run", "--config", str(tmp_path / "customers.yaml"))

    assert done.returncode == 0, done.stderr
    assert "features: chosen: 1 numeric, 2 categorical, 1 datetime, 1 boolean" in done.stdout
    assert "features: Kunde: ignored" in done.stdout
    client = workspace.mlflow()
    experiment = client.get_experiment_by_name("customers")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["features.Land"] == "categorical"
    assert run.data.tags["features.auto"].startswith("chosen: 1 numeric")
    assert "pushed_version" in run.data.tags
