"""Amounts with units."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import units
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("units.parse", ["42"], 42),
    ("units.parse", ["3k"], 3000),
    ("units.parse", ["3K"], 3000),
    ("units.parse", ["3Ki"], 3072),
    ("units.parse", ["3KI"], 3072),
    ("units.parse", ["2M"], 2_000_000),
    ("units.parse", ["2mi"], 2 * 1024**2),
    ("units.parse", ["250m"], 0.25),
    ("units.parse", ["2000m"], 2),
    ("units.parse", ["1.5Gi"], 1536 * 1024**2),
    ("units.parse", ["1.5e3k"], 1_500_000),
    ("units.parse", ["2E"], 2 * 10**18),
    ("units.parse", ["2e"], 2 * 10**18),
    ("units.parse", ["2Ei"], 2 * 1024**6),
    ("units.parse", ["-0.5T"], -500_000_000_000),
    ("units.parse", ["+7."], 7),
    ("units.parse", [".5p"], 500_000_000_000_000),
    ("units.parse", ['"10"K'], 10_000),
    ("units.parse", ["0.12345678905"], 0.1234567891),
    ("units.parse", ["-0.00000000005"], -1e-10),
    ("units.parse", ["1e-20"], 0),
    ("units.parse", ["12345678901.1234567890"], Decimal("12345678901.123456789")),
    ("units.parse_bytes", ["42"], 42),
    ("units.parse_bytes", ["3kb"], 3000),
    ("units.parse_bytes", ["3KiB"], 3072),
    ("units.parse_bytes", ["3ki"], 3072),
    ("units.parse_bytes", ["2m"], 2_000_000),
    ("units.parse_bytes", ["2MB"], 2_000_000),
    ("units.parse_bytes", ["1.5gIb"], 1536 * 1024**2),
    ("units.parse_bytes", ["1.9"], 1),
    ("units.parse_bytes", ["-1.9"], -1),
    ("units.parse_bytes", ["1e3tb"], 10**15),
    ("units.parse_bytes", ["1E+5"], 100_000),
    ("units.parse_bytes", ["7e"], 7 * 10**18),
    ("units.parse_bytes", ["7EiB"], 7 * 1024**6),
    ("units.parse_bytes", ["0.1pb"], 10**14),
    ("units.parse_bytes", ["98765432109876543210987654321"], 98765432109876543207199735808),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_an_amount_is_read_as_opa_reads_it(name: str, operands: list[Value], result: Value) -> None:
    found = call(name, *operands)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("units.parse", "", "no amount provided"),
        ("units.parse", "Gi", "no amount provided"),
        ("units.parse", "é", "no amount provided"),
        ("units.parse", "1 k", "spaces not allowed in resource strings"),
        ("units.parse", "1KiB", "unit Kib not recognized"),
        ("units.parse", "1\u0661", "unit \u0661 not recognized"),
        ("units.parse", ".", "could not parse amount to a number"),
        ("units.parse", "1.2.3k", "could not parse amount to a number"),
        ("units.parse", "--1", "could not parse amount to a number"),
        ("units.parse", "1e+", "could not parse amount to a number"),
        ("units.parse", "1e1234567", "exponent too large"),
        ("units.parse", "1e999999", "exponent too large"),
        ("units.parse_bytes", "", "no byte amount provided"),
        ("units.parse_bytes", "GB", "no byte amount provided"),
        ("units.parse_bytes", "1 kb", "spaces not allowed in resource strings"),
        ("units.parse_bytes", "1XB", "byte unit xb not recognized"),
        ("units.parse_bytes", "1-1", "could not parse byte amount to a number"),
        ("units.parse_bytes", "1e-1234567gb", "exponent too large"),
    ],
)
def test_what_is_no_amount_is_a_fault(name: str, text: str, reason: str) -> None:
    found = fault(name, text)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


@pytest.mark.parametrize("name", ["units.parse", "units.parse_bytes"])
def test_what_is_no_string_has_the_wrong_type(name: str) -> None:
    found = fault(name, 5)
    assert (found.code, found.text) == (TYPE_ERROR, "operand 1 must be string but got number")


@pytest.mark.parametrize("name", ["units.parse", "units.parse_bytes"])
@pytest.mark.parametrize("text", ["1e3999", "9" * 3_999 + "E", "1" * 10**6, "e" * 10**6, "1e5" * 10**5])
def test_an_amount_has_a_bound(name: str, text: str) -> None:
    assert fault(name, text).code == BUILTIN_ERROR


@given(st.integers(-(2**40), 2**40), st.sampled_from(["", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi", "Ei"]))
def test_both_functions_agree_on_whole_amounts(amount: int, unit: str) -> None:
    text = f"{amount}{unit}"
    exact = call("units.parse", text)
    assert exact % max(abs(amount), 1) == 0
    assert abs(call("units.parse_bytes", text) - exact) * 2**63 <= abs(exact)


@pytest.mark.parametrize("name", declared(units))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@pytest.mark.parametrize("name", declared(units))
@given(text=st.text(alphabet='0123456789.eE+-kKmMgGiIbB"\ud800', max_size=12))
def test_no_text_that_looks_like_an_amount_raises_anything_but_a_fault(name: str, text: str) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(call(name, text)) in {int, float, Decimal}
