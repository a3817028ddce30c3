"""Pages of statistics and anomalies, read with an HTML parser."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from tracking.figures.html_pages import anomalies_page, statistics_page

EVIL = '<script>alert("&amp;")</script>'


class Reader(HTMLParser):
    """Parses a page into tags, attributes, headings, and the text of cells by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self.plots: list[list[dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "line"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "svg":
            self.plots.append([])
        elif tag == "rect":
            self.plots[-1].append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert tag == "line" or self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        elif self.open and self.open[-1] in ("h1", "h2", "p"):
            self.headings.append(data)


def make_statistics(
    n_examples: int,
    *,
    numbers: Sequence[tuple[float, float, float]] | None = None,
    words: dict[str, int] | None = None,
    word_column: str = "animal",
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Makes statistics of `legs` with these buckets, and of a column of words with these counts."""
    result = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = result.datasets.add(num_examples=n_examples)
    if numbers is not None:
        feature = dataset.features.add()
        feature.path.step.append("legs")
        stats = feature.num_stats
        stats.common_stats.num_non_missing = int(sum(count for _, _, count in numbers))
        stats.mean, stats.std_dev, stats.num_zeros = 2.125, 0.00012345, 1
        stats.min, stats.median, stats.max = -1, 1234.5678, 1234567.8
        for kind in ("STANDARD", "QUANTILES"):
            histogram = stats.histograms.add(type=kind)
            for low, high, count in numbers:
                histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    if words is not None:
        feature = dataset.features.add()
        feature.path.step.append(word_column)
        feature.string_stats.common_stats.num_non_missing = sum(words.values())
        feature.string_stats.unique = len(words)
        for word, count in words.items():
            feature.string_stats.top_values.add(value=word, frequency=count)
    return result


def make_anomalies(
    column: str, severity: str, short: str, long: str, key: str = ""
) -> anomalies_pb2.Anomalies:
    result = anomalies_pb2.Anomalies()
    info = result.anomaly_info[key or column]
    info.severity = anomalies_pb2.AnomalyInfo.Severity.Value(severity)
    info.short_description, info.description = short, long
    info.path.step.append(column)
    return result


# both


@pytest.mark.parametrize(
    "page",
    [
        statistics_page(
            {
                "train": make_statistics(2, numbers=[(0, 1, 2)], words={EVIL: 2}, word_column=EVIL),
                EVIL: make_statistics(2, words={"ant": 2}),
            }
        ),
        anomalies_page(
            {"train": make_anomalies(EVIL, "ERROR", EVIL, EVIL), EVIL: anomalies_pb2.Anomalies()}
        ),
    ],
)
def test_pages_escape_text_and_load_nothing(page: str) -> None:
    reader = Reader(page)

    assert any(EVIL in cell for cells in reader.rows for cell in cells)
    assert "script" not in reader.tags
    assert not reader.attributes & {"src", "href", "style", "onload"}
    assert not re.search(r"url\(|@import|https?:", page)
    assert page.startswith("<!DOCTYPE html>")
    assert "prefers-color-scheme: dark" in page


# statistics_page


def test_statistics_page_shows_numbers_by_split() -> None:
    reader = Reader(
        statistics_page(
            {
                "train": make_statistics(4, numbers=[(0, 1, 3)]),
                "eval": make_statistics(2_000, numbers=[(0, 1, 1_500)]),
            }
        )
    )

    head, train, evaluated = reader.rows
    assert head[:4] == ["column", "split", "count", "missing"]
    assert dict(zip(head, train, strict=True)) == {
        "column": "legs",
        "split": "train",
        "count": "3",
        "missing": "1 (25.0%)",
        "mean": "2.125",
        "std": "0.0001234",
        "zeros": "1",
        "min": "-1",
        "median": "1235",
        "max": "1,234,568",
        "histogram": "",
    }
    assert evaluated[:3] == ["eval", "1,500", "500 (25.0%)"]
    assert "Examples: train 4, eval 2,000" in reader.headings


def test_statistics_page_histograms_share_axes() -> None:
    # [0, 8] is 220 - 2 pixels wide. The shares 3/4 over 4, 1/4 over 4 and 1 over 2 have densities
    # of 3/16, 1/16 and 1/2; the highest one is 48 - 2 pixels high.
    reader = Reader(
        statistics_page(
            {
                "train": make_statistics(4, numbers=[(0, 4, 3), (4, 8, 1)]),
                "eval": make_statistics(2, numbers=[(6, 8, 2)]),
            }
        )
    )

    train, evaluated = reader.plots
    found = [[bar["x"], bar["width"], bar["height"]] for bar in train + evaluated]
    assert found == [
        ["0.0", "108.0", f"{46 * 3 / 8:.1f}"],
        ["109.0", "108.0", f"{46 / 8:.1f}"],
        ["163.5", "53.5", "46.0"],
    ]


@pytest.mark.parametrize(
    "buckets", [[(7, 7, 4)], [(0, 0, 0)], [(-float("inf"), 0, 1), (0, 4, 3)], []]
)
def test_statistics_page_draws_unusual_buckets(
    buckets: list[tuple[float, float, float]],
) -> None:
    ((*bars,),) = Reader(statistics_page({"train": make_statistics(4, numbers=buckets)})).plots

    assert len(bars) == min(len(buckets), 1)
    assert all(0 <= float(bar[key] or "") <= 220 for bar in bars for key in ("x", "width"))


def test_statistics_page_shows_frequent_words() -> None:
    words = {f"w{index:02}": 20 - index for index in range(12)}
    reader = Reader(statistics_page({"train": make_statistics(200, words=words)}))

    assert reader.rows[1][:5] == ["animal", "train", "174", "26 (13.0%)", "12"]
    assert [cells[:2] for cells in reader.rows[2:]] == [
        [f"w{index:02}", str(20 - index)] for index in range(10)
    ]
    assert "and 2 more" in reader.headings


def test_statistics_page_shows_missing_columns() -> None:
    reader = Reader(
        statistics_page({"train": make_statistics(3, words={"ant": 3}), "eval": make_statistics(2)})
    )

    assert reader.rows[-1] == ["eval", "0", "2 (100.0%)", ""]


# anomalies_page


def test_anomalies_page_lists_anomalies() -> None:
    found = make_anomalies("legs", "WARNING", "Unexpected type", "Expected INT but got BYTES")
    reader = Reader(anomalies_page({"train": found, "eval": anomalies_pb2.Anomalies()}))

    assert reader.rows == [
        ["column", "severity", "what", "details"],
        ["legs", "WARNING", "Unexpected type", "Expected INT but got BYTES"],
    ]
    assert reader.headings[-3:] == ["train", "eval", "No anomalies."]


def test_anomalies_page_shows_anomalies_of_a_split() -> None:
    found = anomalies_pb2.Anomalies(data_missing=True)
    found.dataset_anomaly_info.severity = anomalies_pb2.AnomalyInfo.ERROR
    found.dataset_anomaly_info.short_description = "Few examples"
    reader = Reader(anomalies_page({"train": found}))

    assert [cells[:3] for cells in reader.rows[1:]] == [
        ["all", "ERROR", "No examples"],
        ["all", "ERROR", "Few examples"],
    ]
    assert "No anomalies." not in reader.headings


def test_anomalies_page_names_nested_columns() -> None:
    found = make_anomalies("animal", "ERROR", "", "", key="x")
    found.anomaly_info["x"].path.step.append("legs")

    assert Reader(anomalies_page({"train": found})).rows[1][0] == "animal.legs"
