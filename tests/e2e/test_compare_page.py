"""MLflow's pages with twenty runs, in a real browser, as in the documentation's pictures."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mlflow.entities import Run
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.helpers.browser import chromium, find_chromium
from tests.helpers.e2e_workspace import FirstState, Workspace, wait_for
from tests.helpers.mlflow_servers import mlflow_server

pytestmark = [pytest.mark.e2e, pytest.mark.servers, pytest.mark.timeout(1200)]

RATES = ("0.01", "0.03", "0.1", "0.3", "0.5")
ROUNDS = 4
"""Runs for each learning rate; all but the first of them come from the cache."""
PAGE_SECONDS = 120
VIEW = "viewStateShareKey=best_first&workflowType=machine_learning"
"""The end of the link to the experiment's saved view."""
SCORES = ("accuracy", "cross_entropy")
PARAMS = ("model.learning_rate", "model.hidden_units", "model.optimizer", "train.steps")
TAGS = ("blessed", "pushed_version")
CURVES = ("eval/loss", "train/loss")
LINES_PER_CURVE = 2
"""MLflow draws each curve twice, plain and smoothed."""


@pytest.fixture(scope="module")
def twenty(first_state: FirstState, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A state folder with twenty tracked runs, besides the first run that was copied."""
    workspace = first_state.copy(tmp_path_factory.mktemp("twenty") / "artifacts")
    # No new model is blessed, so the baseline stays and equal settings have equal evaluations.
    never_blessed = "evaluation.thresholds={accuracy: {min: 1.0}}"
    settings = [[f"model.learning_rate={rate}", "train.steps=60", never_blessed] for rate in RATES]
    results = workspace.run_many(settings * ROUNDS)
    assert [result["error"] for result in results] == [None] * (len(RATES) * ROUNDS)
    return workspace


@pytest.fixture(scope="module")
def runs(twenty: Workspace) -> list[Run]:
    """The twenty runs in MLflow."""
    client = twenty.mlflow()
    experiment = client.get_experiment_by_name("iris")
    return list(client.search_runs([experiment.experiment_id]))


@pytest.fixture(scope="module")
def open_page(
    twenty: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], webdriver.Chrome]]:
    """Opens a page of MLflow's UI in a window with room for twenty rows and all charts."""
    programs = find_chromium()
    if programs is None:
        pytest.skip("Chromium is not installed (apt-get install chromium chromium-driver)")
    folder = tmp_path_factory.mktemp("ui")
    with (
        mlflow_server(folder, f"sqlite:///{twenty.root}/mlflow.db") as server,
        chromium(programs, 2600, 3000) as browser,
    ):

        def open_page(path: str) -> webdriver.Chrome:
            browser.get("about:blank")  # a change only after `#` does not load the page
            browser.get(f"{server.url}/#{path}")
            return browser

        yield open_page


READ_TABLE = """
    const rows = [];
    for (const cell of document.querySelectorAll(".ag-row .ag-cell")) {
        const row = cell.closest(".ag-row").getAttribute("row-index");
        (rows[row] ??= {})[cell.getAttribute("col-id")] = cell.innerText;
    }
    return rows;
"""
READ_CHARTS = """
    const cards = document.querySelectorAll("[data-testid=experiment-view-compare-runs-card]");
    return Object.fromEntries([...cards].map(card => [card.querySelector("h4").title, {
        bars: [...card.querySelectorAll(".bartext")].map(text => text.textContent),
        curves: [...card.querySelectorAll("path.js-line")].map(line => line.getAttribute("d")),
    }]));
"""
READ_METRICS = """
    const [names, values] = document.querySelectorAll("[role=grid]");
    const rows = {};
    for (const cell of values.firstElementChild.children)
        (rows[cell.style.top] ??= {})[parseInt(cell.style.left)] = cell.innerText;
    // It holds no cells but those in sight: on to the others, and from the end back to the first.
    const last = values.scrollWidth - values.clientWidth;
    values.scrollLeft = values.scrollLeft < last ? values.scrollLeft + values.clientWidth / 2 : 0;
    return Object.fromEntries([...names.firstElementChild.children].map(
        cell => [cell.innerText, rows[cell.style.top] ?? {}]));
"""


def in_view(runs: list[Run]) -> str:
    """Returns the address of the experiment's saved view."""
    return f"/experiments/{runs[0].info.experiment_id}/runs?{VIEW}"


def name_of(run: Run) -> str:
    """Returns the name of a run in MLflow."""
    return str(run.info.run_name)


def test_saved_view_lists_best_runs_first(
    open_page: Callable[[str], webdriver.Chrome], runs: list[Run]
) -> None:
    browser = open_page(in_view(runs))

    def shown() -> list[dict[str, str]] | None:
        rows = browser.execute_script(READ_TABLE)
        return (
            rows
            if len(rows) == len(runs) and all("tags.`blessed`" in row for row in rows)
            else None
        )

    rows = wait_for(shown, "twenty rows", PAGE_SECONDS)

    accuracies = [float(row["metrics.`accuracy`"]) for row in rows]
    assert accuracies == sorted((run.data.metrics["accuracy"] for run in runs), reverse=True)
    assert accuracies[0] > accuracies[-1]
    columns = [
        *(f"params.`{name}`" for name in PARAMS),
        *(f"tags.`{name}`" for name in TAGS),
    ]
    found = sorted(
        [
            row["attributes.`Run Name`"].splitlines()[-1],
            *(float(row[f"metrics.`{name}`"]) for name in SCORES),
            *(row[column] for column in columns),
        ]
        for row in rows
    )
    assert found == sorted(
        [
            name_of(run),
            *(run.data.metrics[name] for name in SCORES),
            *(run.data.params[name] for name in PARAMS),
            *(run.data.tags[name] for name in TAGS),
        ]
        for run in runs
    )


def test_saved_view_draws_scores_and_curves(
    open_page: Callable[[str], webdriver.Chrome], runs: list[Run]
) -> None:
    browser = open_page(f"{in_view(runs)}&compareRunsMode=CHART")

    def drawn() -> dict[str, Any] | None:
        charts = browser.execute_script(READ_CHARTS)
        lines = sum(len(charts.get(name, {"curves": []})["curves"]) for name in CURVES)
        return charts if lines == len(CURVES) * len(runs) * LINES_PER_CURVE else None

    charts = wait_for(drawn, "twenty curves in each chart", PAGE_SECONDS)

    for score in SCORES:
        expected = sorted(f"{run.data.metrics[score]:.2f}" for run in runs)
        assert sorted(charts[score]["bars"]) == expected
    for name in CURVES:
        assert len(set(charts[name]["curves"])) == len(RATES)


def test_compare_page_shows_settings_and_scores(
    open_page: Callable[[str], webdriver.Chrome], runs: list[Run]
) -> None:
    ids = json.dumps([run.info.run_id for run in runs])
    experiments = json.dumps([runs[0].info.experiment_id])
    browser = open_page(f"/compare-runs?runs={ids}&experiments={experiments}")
    wait_for_text(browser, "Comparing 20 Runs from 1 Experiment")

    columns: dict[int, str] = {}

    def seen() -> bool:
        metrics = browser.execute_script(READ_METRICS)
        columns.update({int(left): text for left, text in metrics["accuracy"].items()})
        return len(columns) == len(runs)

    wait_for(seen, "twenty columns of metrics", PAGE_SECONDS)

    accuracies = [f"{round(run.data.metrics['accuracy'], 3):g}" for run in runs]
    assert [text for _, text in sorted(columns.items())] == accuracies
    shown = wait_for_text(browser, "model.learning_rate ")
    rates = [run.data.params["model.learning_rate"] for run in runs]
    assert "model.learning_rate " + " ".join(rates) in shown
    for run in runs:
        assert name_of(run) in shown


def wait_for_text(browser: webdriver.Chrome, text: str) -> str:
    """Waits until a page shows a text, and returns all of its text."""

    def shown() -> str | None:
        body = str(browser.find_element(By.TAG_NAME, "body").text)
        return body if text in body else None

    return str(wait_for(shown, f"{text} on the page", PAGE_SECONDS))
