"""Texts are searched as they read, and findings told as they are written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.reading import scan_text, suspects_text
from authz_service.dlp.redactions import redact
from authz_service.dlp.views.folding import fold
from tests.authz_service.dlp.inspecting import HIDDEN, KEY, SSN, USUAL, treated

SCANNER = USUAL.scanner


@pytest.mark.parametrize(
    "written",
    [
        SSN,
        SSN.replace("-", "\N{EN DASH}"),
        SSN.replace("-", "\N{NO-BREAK SPACE}"),
        "\N{ZERO WIDTH SPACE}".join(SSN),
        "".join(chr(0xFF10 + int(each)) if each.isdigit() else each for each in SSN),
        "".join(chr(0x0660 + int(each)) if each.isdigit() else "\N{MINUS SIGN}" for each in SSN),
    ],
)
def test_a_number_is_found_however_it_is_written(written: str) -> None:
    """And it is what is written that goes, all of it."""
    text = f"\N{LATIN SMALL LETTER E WITH ACUTE} {written} \N{GREEK SMALL LETTER OMEGA}".encode()
    assert suspects_text(text, SCANNER)
    (span,) = scan_text(text, SCANNER)
    assert text[span.start : span.end].decode() == written
    found = treated(headers={"x-a": text.decode()})
    assert [value for _, value in found.headers.set] == [redact(text, [span]).decode()]
    as_read = fold(written.encode()).decode()
    assert as_read.replace(" ", "-") == SSN
    assert found.findings[0].hash == treated(headers={"x-b": as_read}).findings[0].hash


PARTS = st.sampled_from([
    SSN, KEY, SSN.replace("-", "\N{EN DASH}"), "\N{ZERO WIDTH SPACE}", "\N{EN DASH}", "1", "-", " ",
    "\N{GREEK SMALL LETTER OMEGA}", "\N{FULLWIDTH DIGIT ONE}", "123\N{SOFT HYPHEN}-45-6789", HIDDEN,
])  # fmt: skip


@given(st.lists(PARTS, max_size=8).map("".join).map(str.encode) | st.binary(max_size=60))
def test_what_is_redacted_reads_clean_and_the_rest_is_as_it_was(text: bytes) -> None:
    """Spans are in order and apart, and each is a finding as it reads."""
    spans = scan_text(text, SCANNER)
    read = SCANNER.scan(fold(text))
    assert [span.detector for span in spans] == [span.detector for span in read]
    folded = fold(text)
    for span, seen in zip(spans, read, strict=True):
        assert fold(text[span.start : span.end]) == folded[seen.start : seen.end]
    places = [place for span in spans for place in (span.start, span.end)]
    assert places == sorted(places)
    assert scan_text(redact(text, spans), SCANNER) == []
    if not suspects_text(text, SCANNER):
        assert spans == []


@given(st.lists(st.booleans(), min_size=len(SSN), max_size=len(SSN)), st.sampled_from(["", "%20", "%C3%A9", "n%3D"]))
def test_a_number_is_found_whichever_of_its_characters_are_percent_encoded(quoted: list[bool], beside: str) -> None:
    """All of what is written goes."""
    written = "".join(f"%{ord(each):02X}" if hidden else each for each, hidden in zip(SSN, quoted, strict=True))
    text = f"{beside}{written}".encode()
    (span,) = scan_text(text, SCANNER)
    assert text[span.start : span.end].decode() == written


@given(
    st.lists(st.sampled_from(["{}", "\\{}", "\\{octal}"]), min_size=len(SSN), max_size=len(SSN)),
    st.sampled_from(["", "C:\\\\", "\\101", "%20", "*1="]),
)
def test_a_number_is_found_whichever_of_its_characters_are_quoted(forms: list[str], before: str) -> None:
    r"""As in a quoted string, and as Python writes cookies: there `\123` is one character, and no three."""
    forms = ["{}" if each in "123" and form == "\\{}" else form for each, form in zip(SSN, forms, strict=True)]
    written = "".join(form.format(each, octal=f"{ord(each):03o}") for each, form in zip(SSN, forms, strict=True))
    text = f'a="{before}{written}"'.encode()
    assert suspects_text(text, SCANNER)
    (span,) = scan_text(text, SCANNER)
    assert text[span.start : span.end].decode() == written


@pytest.mark.parametrize("name", ["filename", "name"])
def test_a_value_in_several_parameters_is_found(name: str) -> None:
    """RFC 2231 section 3, percent-encoded or not; all but the first name goes with it."""
    for text in (
        f'attachment; {name}*0="{SSN[:4]}"; {name}*1="{SSN[4:]}"',
        f"attachment; {name}*0*=utf-8''{SSN[:3]}%2D;{name}*1*={SSN[4:6]}; {name}*2=%2D{SSN[7:]}",
    ):
        assert suspects_text(text.encode(), SCANNER)
        (span,) = scan_text(text.encode(), SCANNER)
        redacted = redact(text.encode(), [span]).decode()
        assert redacted.count(name) == 1
        assert not any(part in redacted for part in SSN.split("-"))


def test_a_path_of_windows_in_quotes_hides_nothing() -> None:
    r"""`\123` is a character by its number to some, and a name that begins so to others."""
    for written in (SSN, SSN.replace("-", "%2D")):
        assert len(scan_text(f'filename="C:\\{written}"'.encode(), SCANNER)) == 1


CRUMBS = [SSN, KEY, "%", "%2D", "%31", "%41", "2D", "-", "1", " ", "A", "%00", "\u00e9", "\\", '"', "*1="]


@given(st.lists(st.sampled_from(CRUMBS)))
def test_what_is_found_in_either_reading_is_in_order_and_apart(parts: list[str]) -> None:
    """And holds all that is found in what is written."""
    text = "".join(parts).encode()
    spans = scan_text(text, SCANNER)
    assert all(span.start < span.end for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    taken = {at for span in spans for at in range(span.start, span.end)}
    assert all(taken.issuperset(range(span.start, span.end)) for span in scan_text(text, SCANNER))


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("a=123%2D45%2d6789; b", "123%2D45%2d6789"),
        ('{"a": "\\u0031\\x3223-45-6789"}', ""),
        ('{"a": "\\u003123-45-6789"}', "\\u003123-45-6789"),
        ("é 123%E2%80%9145-6789", "123%E2%80%9145-6789"),
        ("123-45-6789%30", "123-45-6789"),
    ],
)
def test_what_is_escaped_is_searched_both_ways(text: str, struck: str) -> None:
    """As it stands, and undone: an escape behind a value hides nothing."""
    data = text.encode()
    spans = scan_text(data, USUAL.scanner)
    assert b"".join(data[span.start : span.end] for span in spans) == struck.encode()
    assert suspects_text(data, USUAL.scanner) or not struck
