"""The tables of figures are those that the benchmarks printed."""

from tests.benchmarks.measurements import Results
from tests.helpers.pages import DOCS_DIR, README, read
from tools import pages


def test_benchmarks_table_is_that_of_their_results() -> None:
    folder = DOCS_DIR / "bench"
    results = Results.model_validate_json((folder / "results.json").read_bytes())

    assert read(folder / "table.md") == results.make_table()


def test_performance_page_shows_the_whole_table() -> None:
    page = pages.fill(read(DOCS_DIR / "explanation" / "performance.md"))

    assert all(part in page for part in read(DOCS_DIR / "bench" / "table.md").split("\n\n"))


def test_readme_shows_figures_of_the_table() -> None:
    text = read(README)

    assert pages.fill_readme(text) == text
    assert pages.make_figures().count("\n") == len(pages.README_FIGURES) + 2
    assert pages.make_figures() in text
