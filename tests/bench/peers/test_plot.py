"""The drawing of calls for CPU time."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bench.peers import plot
from tests.bench.peers import samples

NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def _bars(drawing: ET.Element, kind: str) -> list[float]:
    found = drawing.findall(f"svg:rect[@class='{kind}']", NAMESPACE)
    return [float(bar.attrib["width"]) for bar in found if bar.attrib["height"] != "11"]  # without the legend


def test_bars_are_as_long_as_their_figures() -> None:
    """The longest of a section fills the width."""
    drawing = ET.fromstring(plot.svg(samples.results(factor=2.0)))  # noqa: S314  (our own)
    assert _bars(drawing, "ours") == [plot.BAR_WIDTH] * 2
    assert _bars(drawing, "theirs") == [pytest.approx(plot.BAR_WIDTH / 2)] * 2


def test_every_workload_has_its_name_its_figures_and_the_ratio() -> None:
    """As text, so that it can be read out and searched."""
    drawing = ET.fromstring(plot.svg(samples.results(factor=2.0)))  # noqa: S314
    texts = [text.text for text in drawing.findall("svg:text", NAMESPACE)]
    for expected in ("3 descriptors", "10 descriptors", "20,000", "10,000", "2.00x", "our limiter", "their limiter"):
        assert expected in texts


def test_it_stays_within_its_frame_and_knows_dark_pages() -> None:
    """Colours follow the reader's scheme, since an image has no other way to know."""
    text = plot.svg(samples.results())
    drawing = ET.fromstring(text)  # noqa: S314
    width, height = (float(drawing.attrib[name]) for name in ("width", "height"))
    for rect in drawing.findall("svg:rect", NAMESPACE):
        x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x + w <= width
        assert y + h <= height
    assert "@media (prefers-color-scheme: dark)" in text


def test_names_are_escaped() -> None:
    """A title with < and & is text, not markup."""
    found = samples.results()
    section = replace(found.sections[0], title="a < b & c")
    drawing = ET.fromstring(plot.svg(replace(found, sections=[section])))  # noqa: S314
    assert "a < b & c" in [text.text for text in drawing.findall("svg:text", NAMESPACE)]
