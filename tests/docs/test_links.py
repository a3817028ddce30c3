"""The links of the pages that are read without a build; the strict build checks the others."""

import re

import pytest

from tests.helpers.pages import DOCS_DIR, PAGES, README, name_of, read
from tests.helpers.paths import PROJECT_DIR

LINKS = [
    (name_of(page), target)
    for page in PAGES
    for target in re.findall(r"\]\((?!https:)([^)#\s]+)", read(page))
]


def test_pages_have_links() -> None:
    assert len(LINKS) >= 60


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_link_leads_somewhere(page: str, target: str) -> None:
    assert (PROJECT_DIR / page).parent.joinpath(target).exists()


def test_readme_links_every_page_that_needs_no_build() -> None:
    generated = {"settings.md", "command-line.md"}
    wrappers = {"index.md", "contributing.md", "changelog.md"}
    needed = {
        name_of(page)
        for page in PAGES
        if page.is_relative_to(DOCS_DIR) and page.name not in generated | wrappers
    }
    assert needed - {target for page, target in LINKS if page == "README.md"} == set()


def test_readme_is_short() -> None:
    assert len(read(README).splitlines()) <= 200
