import asyncio
import html
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from serving.models.catalog import Catalog
from serving.models.columns import Column
from serving.pages.page import make_page
from serving.settings import ServingSettings
from serving.telemetry.metrics import Metrics
from tests.helpers.browser import chromium, find_chromium
from tests.helpers.served_models import ServerThread, write_classifier, write_model

HOSTILE = "<script>alert('1')</script>\"&"
NUMBER = Column(0.25, required=True, min=0.0, max=1.0)
WORD = Column("low", required=False, words=("high", "low"))


def page_of(folders: Mapping[str, Path]) -> str:
    """Returns the page after a single poll of the folders."""

    async def load() -> str:
        settings = ServingSettings()
        catalog = Catalog(folders, settings, Metrics().make_on_batch)
        await catalog.poll()
        page = make_page(catalog, settings)
        await catalog.close()
        return page

    return asyncio.run(load())


def test_page_shows_versions_inputs_and_an_example(tmp_path: Path) -> None:
    write_classifier(tmp_path / "risk", 7, {"share": NUMBER, "word": WORD}, names=("share", "word"))
    page = page_of({"risk": tmp_path / "risk"})
    for shown in (
        "<h2>risk</h2>",
        '<td>7</td><td><span class="available">AVAILABLE</span></td>',
        "<td><code>share</code></td><td>float32</td><td>[n]</td><td>0 to 1</td><td>0.25</td>",
        "<td>string</td><td>[n]</td><td>high, low; may be missing</td><td>low</td>",
        "<td><code>probabilities</code></td><td>float32</td><td>[n, 2]</td>",
        '<input type="number" step="any" data-name="share" data-kind="float" value="0.25"'
        ' min="0" max="1">',
        '<option value="">(missing)</option><option value="high">high</option>'
        '<option value="low" selected>low</option>',
        'data-path="/v1/models/risk:predict"',
        'href="/v1/models/risk/metadata"',
        ":8500 tensorflow.serving.PredictionService/GetModelMetadata",
    ):
        assert shown in page


def test_page_shows_why_a_model_is_not_served(tmp_path: Path) -> None:
    version = write_model(tmp_path / "broken", 3)
    (version / "saved_model.pb").write_bytes(b"\xff\xff")
    page = page_of({"broken": tmp_path / "broken", "later": tmp_path / "later"})
    assert page.count("Waiting for a first version that can be served.") == 2
    assert '<td>3</td><td><span class="end">END</span></td>' in page
    assert "saved_model.pb: is not a SavedModel" in page
    assert "<form" not in page


def test_page_escapes_names_and_values(tmp_path: Path) -> None:
    word = Column(HOSTILE, required=True, words=(HOSTILE,))
    path = write_classifier(tmp_path / "m", 1, {HOSTILE: word, "n": NUMBER}, names=("n", HOSTILE))
    (path / "assets.extra" / "classes").write_text(HOSTILE)
    page = page_of({HOSTILE: tmp_path / "m"})
    assert HOSTILE not in page
    assert page.count("<script>") == page.count("</script>") == 1
    assert f"<h2>{html.escape(HOSTILE)}</h2>" in page
    assert f'data-words="{html.escape(json.dumps([HOSTILE]))}"' in page


def test_page_suggests_many_strings(tmp_path: Path) -> None:
    words = tuple(sorted(f"word{i}" for i in range(101)))
    columns = {"n": NUMBER, "w": Column("word7", required=True, words=words)}
    write_classifier(tmp_path / "m", 1, columns, names=("n", "w"))
    page = page_of({"m": tmp_path / "m"})
    assert 'value="word7" list="/v1/models/m:predict-1"' in page
    assert '<datalist id="/v1/models/m:predict-1">' in page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerThread]:
    folder = tmp_path_factory.mktemp("models")
    write_model(folder / "half", 1)
    # A field with this name must not hide the form's property `dataset`.
    columns = {"dataset": NUMBER, HOSTILE: Column(HOSTILE, required=True)}
    write_classifier(folder / "classes", 1, columns, names=("dataset", HOSTILE))
    with ServerThread({name: folder / name for name in ("half", "classes")}) as server:
        yield server


@pytest.fixture(scope="module")
def articles(server: ServerThread) -> Iterator[Callable[[], dict[str, WebElement]]]:
    """Returns a function that loads the page and finds the section of each model."""
    programs = find_chromium()
    if programs is None:
        pytest.skip("Chromium is not installed (apt-get install chromium chromium-driver)")
    with chromium(programs, 500, 900) as browser:

        def load() -> dict[str, WebElement]:
            browser.get(server.url)
            found = browser.find_elements(By.TAG_NAME, "article")
            return {one.find_element(By.TAG_NAME, "h2").text: one for one in found}

        yield load
        # The page violates no security policy, and its script raises no error.
        messages = [entry["message"] for entry in browser.get_log("browser")]
        assert [message for message in messages if "status of 400" not in message] == []


def fill(article: WebElement, name: str, text: str) -> None:
    for field in article.find_elements(By.CSS_SELECTOR, "[data-name]"):
        if field.get_attribute("data-name") == name:
            field.clear()
            field.send_keys(text)


def answer_of(article: WebElement) -> str:
    """Presses the button and returns the text that appears."""
    article.find_element(By.TAG_NAME, "button").click()
    deadline = time.monotonic() + 30
    while not (text := article.find_element(By.CLASS_NAME, "answer").text):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return text


@pytest.mark.servers
def test_form_shows_classes_as_bars(
    articles: Callable[[], dict[str, WebElement]],
) -> None:
    article = articles()["classes"]
    lines = answer_of(article).splitlines()
    assert lines[:5] == ["high", "low", "25.0 %", "high", "75.0 %"]
    bars = article.find_elements(By.CSS_SELECTOR, ".bar i")
    assert bars[1].size["width"] == pytest.approx(3 * bars[0].size["width"], abs=2)
    command = article.find_element(By.CLASS_NAME, "command").text
    assert command.startswith('curl -d \'{"instances": [{"')
    assert '"dataset": 0.25' in command
    assert "alert('\\''1'\\'')" in command


@pytest.mark.servers
def test_form_shows_other_responses_as_json(
    articles: Callable[[], dict[str, WebElement]],
) -> None:
    article = articles()["half"]
    fill(article, "x", "20000000")
    raw = answer_of(article) and article.find_element(By.CLASS_NAME, "raw").text
    assert json.loads(raw) == {"predictions": [10000002.0]}


@pytest.mark.servers
def test_form_sends_an_empty_number_as_nan(
    articles: Callable[[], dict[str, WebElement]],
) -> None:
    article = articles()["classes"]
    fill(article, "dataset", "")
    answer_of(article)
    assert '"dataset": NaN' in article.find_element(By.CLASS_NAME, "command").text
    assert "NaN" in article.find_element(By.CLASS_NAME, "raw").text


@pytest.mark.servers
def test_form_shows_an_error(articles: Callable[[], dict[str, WebElement]]) -> None:
    article = articles()["half"]
    fill(article, "x", "-1")
    assert "x is negative" in answer_of(article)
