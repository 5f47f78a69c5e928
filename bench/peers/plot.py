"""Two bars for each workload, as an SVG written by hand: readable on light and on dark. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bench.peers.results import Compared, Results, Section, per_core

WIDTH = 820
LEFT = 250  # where bars begin
BAR_WIDTH = 430  # of the longest
BAR, GAP, HEAD = 13, 14, 44  # heights: of a bar, between workloads, of a section's title
TOP = 66

NOTE = "Longer is better; medians at saturation. At the right: ours to the peer's."
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .head { font-size: 14px; font-weight: 600; }
  .label { text-anchor: end; }
  .value, .note { font-size: 12px; fill: #57606a; }
  .ratio { font-weight: 600; text-anchor: end; }
  .ours { fill: #1f6feb; }
  .theirs { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .value, .note { fill: #9198a1; }
    .ours { fill: #58a6ff; }
    .theirs { fill: #656c76; }
  }
"""


def svg(results: Results) -> str:
    """Draw calls for a second of the server's CPU time, each section on a scale of its own."""
    body: list[str] = []
    y = TOP
    for section in results.sections:
        lines, y = _section(section, y)
        body += lines
    height = y + 10
    title = "Calls for one second of the server's CPU time"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        f'     role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        _text(16, 26, "title", title),
        _text(16, 46, "note", NOTE),
        *body,
        "</svg>",
        "",
    ])  # fmt: skip


def _section(section: Section, top: int) -> tuple[list[str], int]:
    """Return the section's lines, and where the next begins."""
    lines = [
        _text(16, top + 18, "head", section.title),
        *_legend(section.ours, LEFT, top + 18, "ours"),
        *_legend(section.theirs, LEFT + 170, top + 18, "theirs"),
    ]
    longest = max(max(each.saturation.medians(per_core)) for each in section.workloads)
    y = top + HEAD - GAP
    for each in section.workloads:
        lines += _workload(each, longest, y)
        y += 2 * BAR + GAP
    return lines, y + GAP


def _legend(name: str, x: int, y: int, kind: str) -> Iterator[str]:
    yield f'<rect class="{kind}" x="{x}" y="{y - 10}" width="11" height="11" rx="2"/>'
    yield _text(x + 17, y, "value", name)


def _workload(each: Compared, longest: float, y: int) -> Iterator[str]:
    yield _text(LEFT - 10, y + BAR + 4, "label", each.title)
    values = each.saturation.medians(per_core)
    for index, (kind, value) in enumerate(zip(("ours", "theirs"), values, strict=True)):
        top, width = y + index * BAR, max(value / longest * BAR_WIDTH, 1)
        yield f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR - 1}" rx="2"/>'
        yield _text(LEFT + width + 6, top + BAR - 2.5, "value", f"{value:,.0f}")
    yield _text(WIDTH - 16, y + BAR + 4, "ratio", f"{each.saturation.ratio(per_core).of_medians:.2f}x")


def _text(x: float, y: float, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
