"""The strict build of the pages, as `make docs` makes it."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.settings.reference import anchor, list_keys
from tests.helpers.paths import PROJECT_DIR
from tools import pages


def build(project_dir: Path, output_dir: Path) -> "subprocess.CompletedProcess[str]":
    """Runs the command of `make docs`, with another output folder."""
    shown = subprocess.run(
        ["make", "docs", "--dry-run", "--no-print-directory"],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    command = shown.replace("\\\n", "").partition("/sphinx-build ")[2].split()
    assert command[-2:] == ["docs", "site"]
    options = [word.replace("site/.doctrees", f"{output_dir}/.doctrees") for word in command[:-2]]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(project_dir / "docs"), str(output_dir)],
        cwd=project_dir,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages."""
    folder = tmp_path_factory.mktemp("site")
    done = build(PROJECT_DIR, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the build says of two pages with faults."""
    folder = tmp_path_factory.mktemp("faults")
    docs_dir = folder / "project" / "docs"
    docs_dir.mkdir(parents=True)
    shutil.copyfile(PROJECT_DIR / "docs" / "conf.py", docs_dir / "conf.py")
    shutil.copytree(PROJECT_DIR / "docs" / "static", docs_dir / "static")
    shutil.copytree(PROJECT_DIR / "tools", docs_dir.parent / "tools")
    text = "# Home\n\n[a page](no-page.md), [a part](#no-part), ![a picture](no-picture.png)\n"
    (docs_dir / "index.md").write_text(text)
    (docs_dir / "lost.md").write_text("# Lost\n")
    done = build(docs_dir.parent, folder / "site")
    assert done.returncode != 0
    return done.stderr


class _Fetched(HTMLParser):
    """Collects what a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps the addresses of scripts, styles and pictures."""
        name = {"script": "src", "img": "src", "link": "href", "iframe": "src"}.get(tag)
        self.addresses += [value for key, value in attrs if key == name and value]


def test_built_pages_fetch_nothing_from_other_hosts(site: Path) -> None:
    parser = _Fetched()
    for page in site.rglob("*.html"):
        parser.feed(page.read_text(encoding="utf-8"))

    assert len(parser.addresses) > 100
    assert [address for address in parser.addresses if re.match(r"(\w+:)?//", address)] == []


def test_built_styles_fetch_nothing_from_other_hosts(site: Path) -> None:
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]

    assert styles
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", "".join(styles)) == []


def test_built_settings_page_has_an_anchor_for_each_setting(site: Path) -> None:
    html = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="([^"]+)"', html))

    assert [key for key in list_keys() if anchor(key) not in anchors] == []


@pytest.mark.parametrize("target", ["no-page.md", "no-part", "no-picture.png"])
def test_build_fails_on_a_link_to_nowhere(faults: str, target: str) -> None:
    assert re.search(rf"index\.md:\d+: WARNING: .*{target}", faults)


def test_build_fails_on_a_page_outside_the_navigation(faults: str) -> None:
    assert "lost.md: WARNING: document isn't included in any toctree" in faults


def test_pages_cannot_ask_for_a_part_that_is_not_made() -> None:
    with pytest.raises(ValueError, match="there is no generated part 'nowhere'"):
        pages.fill("# Home\n\n<!-- generated: nowhere -->\n")
