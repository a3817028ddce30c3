"""Columns of tags and of text, and their neighbours, which are neither."""

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from pipeline.data.feature_choice import Choice, choose
from pipeline.data.several_words import find_tags, find_text
from pipeline.data.table_profiler import profile_columns

RNG = random.Random(5)
TAGS = ["red", "green", "blue", "black", "white"]
WORDS = [
    "the",
    "price",
    "was",
    "good",
    "bad",
    "slow",
    "quick",
    "service",
    "room",
    "staff",
    "very",
    "not",
    "at",
    "all",
    "clean",
    "dirty",
]
FIRST = ["John", "Mary", "Ann", "Peter", "Paul", "Lisa", "Tom", "Eva"]
LAST = ["Doe", "Smith", "Brown", "Miller", "Jones", "King", "Hill", "Wood"]
STATES = ["TX", "CA", "NY", "OR", "WA"]
KANJI = "価格高安部屋清潔良悪遅早広狭古新"


def pick(most: int = 3, least: int = 0) -> list[str]:
    return RNG.sample(TAGS, RNG.randint(least, most))


def said(least: int = 5, most: int = 24) -> str:
    return " ".join(RNG.choice(WORDS) for _ in range(RNG.randint(least, most)))


def number() -> int:
    return RNG.randint(1, 999)


def cells(make: Callable[[], str], rows: int = 300) -> list[str | None]:
    RNG.seed(5)
    return [make() or None for _ in range(rows)]


def choice_of(rows: list[str | None]) -> Choice:
    batch = pa.RecordBatch.from_arrays([pa.array(rows, pa.string())], ["x"])
    return choose(profile_columns([batch])["x"])


@pytest.mark.parametrize(
    ("make", "feature"),
    [
        (lambda: "|".join(pick()), "tags"),
        (lambda: "; ".join(pick()), {"kind": "tags", "separator": ";"}),
        (lambda: ",".join(pick()), {"kind": "tags", "separator": ","}),
        (lambda: "/".join(pick()), {"kind": "tags", "separator": "/"}),
        (lambda: "\n".join(pick()), {"kind": "tags", "separator": "\n"}),
        (lambda: "".join(f"{tag}|" for tag in pick()), "tags"),
        (lambda: "|".join(sorted(pick())), "tags"),
        (
            lambda: "|".join(f"{tag}:{RNG.randint(0, 9)}" for tag in pick()),
            {"kind": "tags", "weight_separator": ":"},
        ),
        (
            lambda: ", ".join(f"{tag} = {RNG.random():.2f}" for tag in pick()),
            {"kind": "tags", "separator": ",", "weight_separator": "="},
        ),
        (
            lambda: "|".join(
                f"tag {min(int(RNG.expovariate(0.02)), 900)}" for _ in range(4)[: RNG.randint(1, 4)]
            ),
            {"kind": "tags", "encode": "embedding"},
        ),
        (
            lambda: ";".join(
                RNG.sample(
                    ["Employed, full-time", "Student, part-time", "Größe: klein"], RNG.randint(1, 3)
                )
            ),
            {"kind": "tags", "separator": ";"},
        ),
    ],
)
def test_tags_are_recognized(make: Callable[[], str], feature: Any) -> None:
    assert choice_of(cells(make, 600)).feature.model_dump() == feature


@pytest.mark.parametrize(
    "make",
    [
        lambda: f"{number()} Main St, Springfield",
        lambda: f"{number()} {RNG.choice(LAST)} St, Springfield, {RNG.choice(STATES)} {number()}",
        lambda: f"{RNG.choice(LAST)}, {RNG.choice(FIRST)}",
        lambda: f"{RNG.choice(LAST)}, {RNG.choice(FIRST)}{', Jr.' * RNG.randint(0, 1)}",
        lambda: (
            f"{RNG.choice(['Austin', 'Reno'])}, {RNG.choice(STATES)}{', USA' * RNG.randint(0, 1)}"
        ),
        lambda: f"{RNG.randint(1, 12)}/{RNG.randint(1, 28)}/{RNG.randint(1, 99)}",
        lambda: f"Mon, {RNG.randint(1, 28)} May 2023",
        lambda: f"{number()},{number()}",
        lambda: ",".join(str(number()) for _ in range(RNG.randint(1, 3))),
        lambda: f"{RNG.randint(0, 9)}.{RNG.randint(0, 9)}.{RNG.randint(0, 9)}",
        lambda: (
            f"/usr/{RNG.choice(['lib', 'bin', 'share'])}/{'x/' * RNG.randint(0, 2)}{number()}.txt"
        ),
        lambda: "/".join(["home", "news", "sport", "football"][: RNG.randint(1, 4)]),
        lambda: f"https://example.org/{'/'.join(pick())}",
        lambda: f"{RNG.choice(['JFK', 'LAX', 'SFO'])}/{RNG.choice(['JFK', 'LAX', 'SFO'])}",
        lambda: f"color=red;size={RNG.choice('SML')};cut={number()}",
        lambda: f'{{"a": {number()}, "b": {number()}}}',
        lambda: RNG.choice(
            ["Yes, always", "No, never", "Sometimes, it depends", "Good, but slow", "x"]
        ),
        lambda: f"{said(3, 5)}, {said(3, 5)}{', ' + said(3, 5) if RNG.random() < 0.5 else ''}",
        lambda: RNG.choice(["and/or", "n/a", "km/h", "m/s", "either/or"]),
        lambda: f"{number()}:{number()}|{number()}",
    ],
)
def test_other_separated_cells_are_not_tags(make: Callable[[], str]) -> None:
    assert find_tags(pa.array({cell for cell in cells(make) if cell}, pa.string())) is None


@pytest.mark.parametrize(
    "make",
    [
        said,
        lambda: said().replace(" was ", ", ").capitalize() + "!",
        lambda: " ".join(RNG.choice(["Größe", "und", "Übung", "nicht", "schön"]) for _ in range(9)),
        lambda: "".join(RNG.choice(KANJI) for _ in range(RNG.randint(8, 20))),
        lambda: f"{number()}: {said()} #{RNG.random()}",
    ],
)
def test_text_is_recognized(make: Callable[[], str]) -> None:
    choice = choice_of(cells(make))

    assert choice.feature.model_dump() == "text"
    assert "words and pairs are learned" in choice.summary.findings[0].text


@pytest.mark.parametrize(
    "make",
    [
        lambda: f"{RNG.getrandbits(64):016x}",
        lambda: f"https://example.org/{number()}/{number()}?q={number()}",
        lambda: f"{RNG.choice(FIRST)} {RNG.choice(LAST)} {RNG.getrandbits(32):x}",
        lambda: " ".join(f"{RNG.getrandbits(40):x}" for _ in range(6)),
        lambda: " ".join(str(number()) for _ in range(6)),
    ],
)
def test_ids_and_numbers_are_not_text(make: Callable[[], str]) -> None:
    assert find_text(pa.array({cell for cell in cells(make) if cell}, pa.string())) is None


def test_few_sentences_stay_categories() -> None:
    RNG.seed(5)
    sentences = [said(8, 9) for _ in range(30)]

    assert choice_of([RNG.choice(sentences) for _ in range(300)]).feature.kind == "categorical"


def test_findings_name_tags_and_separators() -> None:
    found = choice_of(cells(lambda: "|".join(f"{tag}:2" for tag in pick()), 400)).summary.findings

    assert found[0].text == "5 tags between '|' with weights after ':', in any order"
