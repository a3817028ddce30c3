"""Parts of self-contained HTML pages without scripts: layout, tables, small plots.

MLflow shows pages in a frame that allows no scripts, and the machine may have no network. Contents
of cells and bodies are HTML, so text from the data must be escaped by the caller.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

_STYLE = """
:root { color-scheme: light dark; --line: #d5d9e0; --quiet: #667085; --bar: #2f6db3;
  --ground: #fff; --text: #1b1f27; --head: #f4f6f9; --error: #b42318; --warning: #93580a; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4150; --quiet: #9aa4b5; --bar: #6ea8e6;
  --ground: #14181f; --text: #e6e9ef; --head: #1e242e; --error: #ff8a7d; --warning: #f2b95f; } }
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; background: var(--ground);
  color: var(--text); }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
p { margin: .2rem 0; } .quiet { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .3rem .7rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { background: var(--head); white-space: nowrap; }
.wide > table > tbody { border-top: 1px solid var(--line); }
th, .word { max-width: 22rem; } .text { max-width: 44rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.words td { padding: 0 .7rem 0 0; vertical-align: middle; }
svg { display: block; } rect { fill: var(--bar); } line { stroke: var(--line); }
.ERROR { color: var(--error); font-weight: 600; } .WARNING { color: var(--warning); }
"""
_WIDTH, _HEIGHT = 220, 48

Bucket = tuple[float, float, float]
"""Low end, high end, and share of the values between them."""


def page(title: str, body: str) -> str:
    """Makes a page with a light and a dark color scheme."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )


def table(heads: Iterable[str], groups: Iterable[str]) -> str:
    """Makes a table from cells of its head and groups of rows, with lines between the groups."""
    bodies = "".join(f"<tbody>{rows}</tbody>" for rows in groups)
    return f'<div class="wide"><table><thead>{row(*heads)}</thead>{bodies}</table></div>'


def row(*cells: str) -> str:
    """Makes a row of cells."""
    return f"<tr>{''.join(cells)}</tr>"


def head(content: str, css_class: str = "", rows: int = 1) -> str:
    """Makes a header cell of a column, or of several rows."""
    return f'<th class="{css_class}" rowspan="{rows}">{content}</th>'


def cell(content: str, css_class: str = "", columns: int = 1) -> str:
    """Makes a cell."""
    return f'<td class="{css_class}" colspan="{columns}">{content}</td>'


def number(value: float) -> str:
    """Formats a number: whole and large ones in full, others with four digits."""
    if not math.isfinite(value) or abs(value) >= 1e15:
        return f"{value:g}"
    if value == int(value) or abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def share_bar(share: float) -> str:
    """Draws a share as a bar."""
    return (
        f'<svg width="100" height="10" role="img"><title>{share:.1%}</title>'
        f'<rect width="{100 * min(share, 1):.1f}" height="10"/></svg>'
    )


def histograms(plots: Sequence[Sequence[Bucket]]) -> Iterator[str]:
    """Draws histograms on the same axes; the area of a bar is its share.

    Args:
        plots: Finite buckets of each histogram.

    Yields:
        An SVG for each histogram.
    """
    drawn = [bucket for buckets in plots for bucket in buckets]
    least = min((low for low, _, _ in drawn), default=0)
    span = max((high for _, high, _ in drawn), default=0) - least
    scale = (_WIDTH - 2) / span if span else 0
    # A bucket of a single value has no width; it gets a visible one.
    widths = [[max((high - low) * scale, 2) for low, high, _ in buckets] for buckets in plots]
    density = [
        [share / width for (_, _, share), width in zip(buckets, of, strict=True)]
        for buckets, of in zip(plots, widths, strict=True)
    ]
    highest = max((value for values in density for value in values), default=0) or 1
    for buckets, of, values in zip(plots, widths, density, strict=True):
        bars = "".join(
            _bar((low - least) * scale, width, value / highest, low, high, share)
            for (low, high, share), width, value in zip(buckets, of, values, strict=True)
        )
        ground = f'<line x2="{_WIDTH}" y1="{_HEIGHT - 0.5}" y2="{_HEIGHT - 0.5}"/>'
        yield f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img">{bars}{ground}</svg>'


def _bar(x: float, width: float, height: float, low: float, high: float, share: float) -> str:
    pixels = height * (_HEIGHT - 2)
    return (
        f'<rect x="{x:.1f}" y="{_HEIGHT - 1 - pixels:.1f}" width="{max(width - 1, 1):.1f}" '
        f'height="{pixels:.1f}"><title>{number(low)} to {number(high)}: {share:.1%}</title></rect>'
    )
