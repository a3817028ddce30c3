"""Settings of Sphinx, which builds the pages: `make docs`."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

# tools is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import pages

project = "From CSV to a served Estimator"
version = release = installed_version("estimator-pipeline")
extensions = ["myst_parser"]
exclude_patterns = ["bench"]
nitpicky = True
smartquotes = False  # options begin with two dashes

myst_enable_extensions = ["attrs_block", "attrs_inline", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_search_summary = False  # a browser fetches nothing for a page opened from a file
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1a5fb4", "color-brand-content": "#1a5fb4"},
    "dark_css_variables": {"color-brand-primary": "#8ab4f8", "color-brand-content": "#8ab4f8"},
}


def setup(app: Any) -> None:
    """Has Sphinx put the generated parts into each page before it parses the page."""
    app.connect("source-read", _fill)


def _fill(app: Any, page: str, source: list[str]) -> None:
    source[0] = pages.fill(source[0])
