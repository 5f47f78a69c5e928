"""UUIDs."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import identifiers
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import UNDEFINED, Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

FIRST = {
    "version": 1,
    "variant": "RFC4122",
    "time": 1_262_303_363_699_507_200,
    "nodeid": "02-1a-2b-3c-4d-5e",
    "macvariables": "local:unicast",
    "clocksequence": 0x1234,
}

CASES: list[tuple[str, list[Value], Value]] = [
    ("uuid.parse", ["1f6d0000-f667-11de-9234-021a2b3c4d5e"], FIRST),
    ("uuid.parse", ["1F6D0000-F667-11DE-9234-021A2B3C4D5E"], FIRST),
    ("uuid.parse", ["urn:uuid:1f6d0000-f667-11de-9234-021a2b3c4d5e"], FIRST),
    ("uuid.parse", ["Urn:UUID:1f6d0000-f667-11de-9234-021a2b3c4d5e"], FIRST),
    ("uuid.parse", ["{1f6d0000-f667-11de-9234-021a2b3c4d5e}"], FIRST),
    ("uuid.parse", ["<1f6d0000-f667-11de-9234-021a2b3c4d5e>"], FIRST),
    ("uuid.parse", ["1f6d0000f66711de9234021a2b3c4d5e"], FIRST),
    (
        "uuid.parse",
        ["000001f4-f667-21de-9201-031a2b3c4d5e"],
        {
            "version": 2,
            "variant": "RFC4122",
            "time": 1_262_303_310_975_845_200,
            "nodeid": "03-1a-2b-3c-4d-5e",
            "macvariables": "local:multicast",
            "clocksequence": 0x1201,
            "id": 500,
            "domain": "Group",
        },
    ),
    ("uuid.parse", ["f47ac10b-58cc-4372-a567-0e02b2c3d479"], {"version": 4, "variant": "RFC4122"}),
    ("uuid.parse", ["f47ac10b-58cc-7372-c567-0e02b2c3d479"], {"version": 7, "variant": "Microsoft"}),
    ("uuid.parse", ["f47ac10b-58cc-0372-e567-0e02b2c3d479"], {"version": 0, "variant": "Future"}),
    ("uuid.parse", ["00000000-0000-0000-0000-000000000000"], {"version": 0, "variant": "Reserved"}),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_uuid_says_of_itself_what_opa_reads(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("octet", "meaning"),
    [
        (0, "global:unicast"),
        (1, "global:multicast"),
        (2, "local:unicast"),
        (3, "local:multicast"),
        (4, "global:unicast"),
    ],
)
def test_the_first_octet_of_a_node_says_what_kind_of_address_it_is(octet: int, meaning: str) -> None:
    assert call("uuid.parse", f"1f6d0000-f667-11de-9234-{octet:02x}1a2b3c4d5e")["macvariables"] == meaning


@pytest.mark.parametrize(
    ("octet", "domain"), [(0, "Person"), (1, "Group"), (2, "Org"), (3, "Domain3"), (255, "Domain255")]
)
def test_version_2_has_a_domain(octet: int, domain: str) -> None:
    assert call("uuid.parse", f"000001f4-f667-21de-92{octet:02x}-031a2b3c4d5e")["domain"] == domain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "f47ac10b-58cc-4372-a567-0e02b2c3d47",
        "f47ac10b-58cc-4372-a567-0e02b2c3d47g",
        "f47ac10b058cc04372-a567-0e02b2c3d479",
        "f47ac10b58cc4372a5670e02b2c3d47_",
        "+47ac10b58cc4372a5670e02b2c3d479",
        " 47ac10b58cc4372a5670e02b2c3d479",
        "uri:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "é47ac10b-58cc-4372-a567-0e02b2c3d479",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479\n",
        "-" * 32,
        "-" * 36,
        "\ud800" * 12,
        "٣" * 16,
    ],
)
def test_what_is_no_uuid_is_undefined_and_that_is_no_fault(text: str) -> None:
    assert call("uuid.parse", text) is UNDEFINED


def test_what_is_no_string_is_a_fault() -> None:
    found = fault("uuid.parse", 123)
    assert (found.code, found.text) == (TYPE_ERROR, "operand 1 must be string but got number")


def test_a_random_uuid_is_the_same_for_the_same_name_within_one_evaluation() -> None:
    context = Context()
    first = identifiers.random_uuid(context, "a")
    assert identifiers.random_uuid(context, "a") == first
    assert identifiers.random_uuid(context, "b") != first
    assert identifiers.random_uuid(Context(), "a") != first


def test_a_random_uuid_comes_from_the_evaluation_s_source() -> None:
    one, two = (identifiers.random_uuid(Context(random=random.Random(7)), "a") for _ in range(2))
    assert one == two


@given(st.text())
def test_a_random_uuid_is_one_of_version_4(name: str) -> None:
    assert call("uuid.parse", call("uuid.rfc4122", name)) == {"version": 4, "variant": "RFC4122"}


@given(st.uuids())
def test_every_way_to_write_a_uuid_says_the_same(value: UUID) -> None:
    found = call("uuid.parse", str(value))
    assert found["version"] == value.bytes[6] >> 4
    assert call("uuid.parse", value.hex) == found
    assert call("uuid.parse", value.urn) == found
    assert call("uuid.parse", f"{{{value}}}".upper()) == found


@pytest.mark.parametrize("name", declared(identifiers))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
