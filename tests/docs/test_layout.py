"""The layout on the architecture page names the folders that there are."""

import re
from pathlib import Path
from typing import Any

import tomli

from tests.helpers.pages import DOCS_DIR, read
from tests.helpers.paths import PROJECT_DIR

PACKAGES = ("pipeline", "tracking", "components", "serving", "trainer", "tabular")
MADE_BY_RUNS = "artifacts"


def layout() -> list[Path]:
    """Lists the folders and files that the page names."""
    page = read(DOCS_DIR / "explanation" / "architecture.md")
    text = re.findall(r"<!-- layout: begin -->(.*)<!-- layout: end -->", page, re.DOTALL)[0]
    paths: list[Path] = []
    outer = PROJECT_DIR
    for indent, name in re.findall(r"^( *)([\w.]+)/?  ?", text, re.MULTILINE):
        outer = outer if indent else PROJECT_DIR / name
        paths.append(outer / name if indent else outer)
    return paths


def test_layout_names_what_exists() -> None:
    missing = [path for path in layout() if not path.exists() and path.name != MADE_BY_RUNS]

    assert missing == []


def test_layout_names_every_folder_of_the_packages() -> None:
    folders = {
        path.parent
        for package in PACKAGES
        for path in (PROJECT_DIR / package).glob("*/*.py")
        if (path.parent / "__init__.py").exists()
    }

    assert len(folders) > 25
    assert folders | {PROJECT_DIR / package for package in PACKAGES} <= set(layout())


def test_drawing_of_the_layers_is_that_of_the_contracts() -> None:
    project: dict[str, Any] = tomli.loads(read(PROJECT_DIR / "pyproject.toml"))
    contracts = {
        (contract.get("containers") or ["."])[0]: contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    }
    folders = [
        name
        for container in (".", "pipeline", "trainer")
        for layer in contracts[container]
        for name in layer.split(" | ")
        if (PROJECT_DIR / container / name).is_dir()
    ]
    drawn = re.findall(r'fill="#1f2328">([a-z]+)<', read(DOCS_DIR / "images" / "layers.svg"))

    assert [name for name in drawn if name not in {"errors", "export"}] == folders
