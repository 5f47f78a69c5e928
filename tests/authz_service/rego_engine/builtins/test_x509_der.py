"""The reader of DER."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import x509_der
from authz_service.rego_engine.builtins.x509_der import INTEGER, OCTET_STRING, SEQUENCE, Reader
from authz_service.rego_engine.errors import BuiltinFault


def element(tag: int, content: bytes) -> bytes:
    """Write an element."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def reader(data: str | bytes) -> Reader:
    """Return a reader of some octets, given in hexadecimal or as they are."""
    return Reader(bytes.fromhex(data) if isinstance(data, str) else data, "malformed")


@given(st.lists(st.binary(max_size=300)))
def test_elements_are_read_one_after_another(contents: list[bytes]) -> None:
    whole = reader(element(SEQUENCE, b"".join(element(OCTET_STRING, one) for one in contents)))
    inside = whole.inside(SEQUENCE)
    assert not whole
    assert [inside.read(OCTET_STRING) for _ in contents] == contents
    assert not inside


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_a_whole_number_is_read(number: int) -> None:
    magnitude = number if number >= 0 else ~number
    content = number.to_bytes(magnitude.bit_length() // 8 + 1, signed=True)
    assert reader(element(INTEGER, content)).integer() == number


@pytest.mark.parametrize(
    "data",
    ["", "30", "3080", "308105", "30820005", "3005", "1f0100", "3085000000000100", "300581", "bf0100"],
)
def test_what_is_not_der_is_refused(data: str) -> None:
    """Indefinite, overlong or missing lengths, and tags of several octets."""
    with pytest.raises(BuiltinFault, match="malformed"):
        reader(data).any()


@pytest.mark.parametrize("data", ["0200", "02020001", "0202ff80", "0101ff", "0282" + "07d0" + "01" * 2000])
def test_a_whole_number_has_one_form_only(data: str) -> None:
    with pytest.raises(BuiltinFault):
        reader(data).integer()


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ("06032a8648", (1, 2, 840)),
        ("06032a0304", (1, 2, 3, 4)),
        ("0603883703", (2, 999, 3)),
        ("060100", (0, 0)),
        ("06022a80", None),
        ("06032a8001", None),
        ("0600", None),
    ],
)
def test_an_object_identifier_is_read(data: str, parts: tuple[int, ...] | None) -> None:
    if parts is None:
        with pytest.raises(BuiltinFault):
            reader(data).identifier()
    else:
        assert reader(data).identifier() == parts


def test_an_object_identifier_s_part_has_a_bound() -> None:
    with pytest.raises(BuiltinFault):
        reader(element(x509_der.OBJECT_IDENTIFIER, b"\x2a" + b"\xff" * 30 + b"\x01")).identifier()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("030205a0", (b"\xa0", 5)),
        ("030100", (b"", 0)),
        ("030205a1", None),
        ("030208a0", None),
        ("030105", None),
        ("0300", None),
    ],
)
def test_a_bit_string_tells_its_unused_bits(data: str, found: tuple[bytes, int] | None) -> None:
    if found is None:
        with pytest.raises(BuiltinFault):
            reader(data).bit_string()
    else:
        assert reader(data).bit_string() == found


def test_a_bit_string_is_shifted_to_the_right() -> None:
    assert reader("030205a0").bits() == b"\x05"


@pytest.mark.parametrize(
    ("tag", "text", "year"),
    [
        (x509_der.UTC_TIME, "500101000000Z", 1950), (x509_der.UTC_TIME, "491231235959Z", 2049),
        (x509_der.UTC_TIME, "680101000000Z", 1968), (x509_der.GENERALIZED_TIME, "20500101000000Z", 2050),
        (x509_der.GENERALIZED_TIME, "99991231235959Z", 9999),
    ],
)  # fmt: skip
def test_a_time_s_year_is_of_four_digits_or_of_two(tag: int, text: str, year: int) -> None:
    assert reader(element(tag, text.encode())).time().year == year


def test_a_time_is_in_utc() -> None:
    assert reader(element(x509_der.UTC_TIME, b"231114221320Z")).time() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("text", [b"231314221320Z", b"2311142213Z", b"231114221320+0100", b"", b"+31114221320Z"])
def test_another_form_of_time_is_refused(text: bytes) -> None:
    with pytest.raises(BuiltinFault):
        reader(element(x509_der.UTC_TIME, text)).time()


@pytest.mark.parametrize(
    ("tag", "octets", "text"),
    [
        (x509_der.UTF8_STRING, "é".encode(), "é"), (x509_der.UTF8_STRING, b"\xff", None),
        (x509_der.PRINTABLE_STRING, b"A b*", "A b*"), (x509_der.PRINTABLE_STRING, b"a@b", None),
        (x509_der.IA5_STRING, b"a@b", "a@b"), (x509_der.T61_STRING, b"\xe9", "é"),
        (x509_der.BMP_STRING, b"\0a\0\0", "a"), (x509_der.BMP_STRING, b"\0", None),
        (x509_der.NUMERIC_STRING, b"1 2", "1 2"), (x509_der.NUMERIC_STRING, b"x", None), (OCTET_STRING, b"a", None),
    ],
)  # fmt: skip
def test_a_text_keeps_its_type_s_rules(tag: int, octets: bytes, text: str | None) -> None:
    assert x509_der.text(tag, octets) == text


@given(st.binary(max_size=40))
def test_no_octets_whatever_break_the_reader(data: bytes) -> None:
    for read in (Reader.any, Reader.integer, Reader.identifier, Reader.bits, Reader.time, Reader.boolean):
        try:
            read(reader(data))
        except BuiltinFault:
            continue
