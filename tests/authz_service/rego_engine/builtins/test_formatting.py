"""sprintf and string interpolation."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import formatting
from authz_service.rego_engine.errors import TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

BIG = 123456789123456789123
CASES: list[tuple[str, list[Value], Value]] = [
    ("sprintf", ["user %s, %d tries", ["ada", 3]], "user ada, 3 tries"),
    ("sprintf", ["no verbs", []], "no verbs"),
    ("sprintf", ["%v %v %v %v %v", [None, True, 1.5, "x", ["x", 1]]], 'null true 1.5 x ["x", 1]'),
    ("sprintf", ["%s %s", [None, {"a": [1]}]], 'null {"a": [1]}'),
    ("sprintf", ["100%%|%5%", []], "100%|%"),
    ("sprintf", ["%5s|%-5s|%05s|%.2s", ["ab", "ab", "ab", "grün"]], "   ab|ab   |000ab|gr"),
    ("sprintf", ["%5d|%-5d|%05d|%+d|% d|%.3d|%x|%X|%o|%b|%O", [42, 42, -42, 42, 42, 7, 255, 255, 8, 5, 8]],
     "   42|42   |-0042|+42| 42|007|ff|FF|10|101|0o10"),
    ("sprintf", ["%#x|%#X|%#o|%#b|%08.3d|%.0d|", [255, 255, 8, 5, 7, 0]], "0xff|0XFF|010|0b101|     007||"),
    ("sprintf", ["%c|%q|%U|%#U|%+q|%5c", [252, 252, 252, 128512, 252, 65]],
     "ü|'ü'|U+00FC|U+1F600 '😀'|'\\u00fc'|    A"),
    ("sprintf", ["%c|%U", [-1, -1]], "\ufffd|U+FFFFFFFFFFFFFFFF"),
    ("sprintf", ["%f|%.2f|%8.1f|%-8.1f|%08.1f|%+.1f|%e|%.0f", [1.5, 2.345, -2.25, 2.25, -2.25, 2.25, 1234.5, 2.5]],
     "1.500000|2.35|    -2.2|2.2     |-00002.2|+2.2|1.234500e+03|2"),
    ("sprintf", ["%g|%G|%v|%.3g|%#g", [1234567.5, 0.00000125, 0.00001, 1234.5678, 1.5]],
     "1.2345675e+06|1.25E-06|1e-05|1.23e+03|1.50000"),
    ("sprintf", ["%x|%X|%b|%.1x", [1.5, -0.1, 0.5, 1.97]],
     "0x1.8p+00|-0X1.999999999999AP-04|4503599627370496p-53|0x1.0p+01"),
    ("sprintf", ["%q|%#q|%+q|%x|% x|%#X|% #x", ['a"ü', "ab", "ü", "hi", "hi", "hi", "hi"]],
     '"a\\"ü"|`ab`|"\\u00fc"|6869|68 69|0X6869|0x68 0x69'),
    ("sprintf", ["%d|%s|%x|%+d|%q", [BIG, BIG, BIG, BIG, BIG]],
     f"{BIG}|{BIG}|6b14e9f9b0df36a83|+{BIG}|%!q(big.Int={BIG})"),
    ("sprintf", ["%T %T %T %T %T", [1, 1.5, "a", None, BIG]], "int64 float64 string string *big.Int"),
    ("sprintf", ["%#v %+v %#v", ['a"', 5, 1.5]], '"a\\"" 5 1.5'),
    ("sprintf", ["%s|%d|%t|%z", [5, "x", True, 1.5]], "%!s(int64=5)|%!d(string=x)|%!t(string=true)|%!z(float64=1.5)"),
    ("sprintf", ["%5t|%+d", ["a", 1.5]], "%!t(string=    a)|%!d(float64=+1.5)"),
    ("sprintf", ["%s %s", ["a"]], "a %!s(MISSING)"),
    ("sprintf", ["%d%", [1]], "1%!(NOVERB)"),
    ("sprintf", ["x", ["a", 1, 1.5, BIG, None]],
     f"x%!(EXTRA string=a, int64=1, float64=1.5, *big.Int={BIG}, string=null)"),
    ("sprintf", ["%[2]s %[1]s", ["a", "b"]], "b a"),
    ("sprintf", ["%[2]d %d", [1, 2, 3]], "2 3"),
    ("sprintf", ["%[3]s %[0]s %[x]s %[1d", ["a", "b"]], "%!s(BADINDEX) %!s(BADINDEX) %!s(BADINDEX) %!d(BADINDEX)"),
    ("sprintf", ["%[1]2d|%[1].2f", [1.5]], "%!d(BADINDEX)|%!f(BADINDEX)"),
    ("sprintf", ["%*d|%-*d|%*d|%.*f", [4, 1, 4, 1, -4, 1, 1, 2.25]], "   1|1   |1   |2.2"),
    ("sprintf", ["%*d|%.*f", ["x", 1, -1, 2.5]], "%!(BADWIDTH)1|%!(BADPREC)2.500000"),
    ("sprintf", ["%[3]*.[2]*[1]f|", [12.345, 2, 7]], "  12.35|"),
    ("sprintf", ["%5.", [1]], "%!.(int64=    1)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_verbs_are_written_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_a_set_is_written_in_its_order() -> None:
    assert call("sprintf", "%v %s", [make_set([2, 1]), make_set([])]) == "{1, 2} set()"


def test_a_whole_number_suits_the_verbs_of_floats_for_it_may_have_been_written_as_one() -> None:
    assert call("sprintf", "%.2f %d", [100, 100]) == "100.00 100"


def test_a_number_beyond_floats_keeps_its_exponent_if_it_ends_in_zeros() -> None:
    assert call("sprintf", "%v %v", [2 * 10**308, -15 * 10**400]) == "2e308 -1.5e401"
    assert call("sprintf", "%v", [10**400 + 1]) == str(10**400 + 1)


def test_a_number_between_floats_is_rounded_to_one() -> None:
    assert call("sprintf", "%v", [Decimal("0.33333333333333333334")]) == "0.3333333333333333"
    assert call("sprintf", "%v", [Decimal("1.5e-3999")]) == "0"


@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ([1, []], "operand 1 must be string but got number"),
        (["%s", "a"], "operand 2 must be array but got string"),
    ],
)
def test_operands_of_the_wrong_type_are_a_fault(operands: list[Value], text: str) -> None:
    found = fault("sprintf", *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("%9999999d", [1]),
        (f"%{'9' * 5000}d", [1]),
        ("%.9999999f", [1.5]),
        ("%1000000d" * 9, [1] * 9),
        ("%s" * 20, ["x" * 1_000_000] * 20),
        ("%[1]v" * 10_000, ["x" * 1000]),
        ("%" * 70_000, []),
    ],
)
def test_widths_and_lengths_have_bounds(layout: str, values: list[Value]) -> None:
    assert "more than" in (found := fault("sprintf", layout, values).text) or "longer than" in found


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        (["a ", make_set([1]), " b"], "a 1 b"),
        ([make_set(["x"]), make_set([["x"]]), make_set([True])], 'x["x"]true'),
        (["<", set(), ">"], "<<undefined>>"),
        ([1, 0.5, None, True], "10.5nulltrue"),
    ],
)
def test_an_interpolated_string_shows_each_expressions_value(parts: list[Value], text: str) -> None:
    assert call("internal.template_string", parts) == text


def test_an_expression_of_several_values_is_a_fault() -> None:
    assert "multiple outputs" in fault("internal.template_string", [make_set([1, 2])]).text


@given(st.text(max_size=12), st.lists(VALUES, max_size=3))
def test_no_format_raises_anything_but_a_fault(layout: str, values: list[Value]) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(call("sprintf", layout, values)) is str


PIECES = [*"%%%sdvxqcUTfegGXobt.*+-# 0159é!", "[1]", "[2]", "[9]", "["]
OPERANDS = st.sampled_from(
    [1, -7, 255, 2**63, 2**70, 10**400, 1.5, -0.25, 1e-320, "ü", "\ud800", None, [1], Decimal("1e-400")]
)


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.lists(OPERANDS, max_size=3))
def test_no_verb_raises_anything_but_a_fault(layout: str, values: list[Value]) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(call("sprintf", layout, values)) is str


@given(st.integers(-(10**25), 10**25), st.integers(0, 30), st.sampled_from(["", "-", "0", "+", " ", "+0", "- "]))
def test_whole_numbers_are_laid_out_as_by_pythons_own_formats(number: int, width: int, flags: str) -> None:
    assert call("sprintf", f"%{flags}{width or ''}d", [number]) == f"%{flags}{width or ''}d" % number


@given(
    st.floats(-1e15, 1e15).filter(lambda number: not number.is_integer()),
    st.integers(0, 20),
    st.integers(0, 9),
    st.sampled_from(["", "-", "0", "+", " ", "#"]),
    st.sampled_from("feEgG"),
)
def test_fractions_are_laid_out_as_by_pythons_own_formats(
    number: float, width: int, precision: int, flags: str, verb: str
) -> None:
    layout = f"%{flags}{width or ''}.{precision}{verb}"
    assert call("sprintf", layout, [number]) == layout % number


@pytest.mark.parametrize("name", declared(formatting))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
