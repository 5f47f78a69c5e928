"""How people and systems hand on what is known of somebody: answers, tables, forms, dumps, mails.

Each carrier is given a phrase that names the value (`social security number`) and the value between marks, and writes a
text around it. Nothing else in a text is a value, but for those it marks as others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from bench.dlp_blind_text import (
    SERVICES,
    WORDS,
    filler,
    hexadecimal,
    label,
    moment,
    person,
    screaming,
    some_uuid,
    stamp,
    styled,
)  # fmt: skip

Carrier = Callable[[random.Random, str, str], str]


def _dumped(rng: random.Random, document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=rng.choice((None, None, 2, 4)))


def _mixed(rng: random.Random, name: str, value: str) -> dict[str, object]:
    fields: list[tuple[str, object]] = [filler(rng) for _ in range(rng.randrange(1, 5))]
    fields.insert(rng.randrange(len(fields) + 1), (name, value))
    return dict(fields)


def answer(rng: random.Random, phrase: str, value: str) -> str:
    """An answer of an API."""
    inner = _mixed(rng, styled(rng, phrase), value)
    shape = rng.randrange(4)
    if shape == 0:
        return _dumped(rng, inner)
    if shape == 1:
        return _dumped(rng, {"data": {"customer": {"name": person(rng), **inner}}, "meta": {"took": 12}})
    if shape == 2:
        others = [dict(filler(rng) for _ in range(3)) for _ in range(2)]
        return _dumped(rng, {"items": [others[0], inner, others[1]], "next": None})
    return _dumped(rng, {"type": "record.updated", "payload": json.dumps(inner, ensure_ascii=False)})


def pairs(rng: random.Random, phrase: str, value: str) -> str:
    """An answer whose fields are name and value side by side."""
    name = styled(rng, phrase)
    keys = rng.choice((("name", "value"), ("key", "value"), ("field", "content"), ("label", "text")))
    before, behind = filler(rng), filler(rng)
    return _dumped(rng, {"fields": [dict(zip(keys, pair, strict=True)) for pair in (before, (name, value), behind)]})


def table(rng: random.Random, phrase: str, value: str) -> str:
    """A file of comma or otherwise separated values; the value may stand rows below its heading."""
    by = rng.choice((",", ",", ";", "\t", "|"))
    columns = [filler(rng)[0] for _ in range(3)]
    columns.insert(place := rng.randrange(4), styled(rng, phrase))
    rows = [[str(rng.randrange(10_000)) for _ in columns] for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    rows[-1][place] = f'"{value}"' if by in value or rng.random() < 0.2 else value
    return "\n".join(by.join(row) for row in (columns, *rows)) + "\n"


def markdown(rng: random.Random, phrase: str, value: str) -> str:
    """A table in Markdown."""
    if rng.random() < 0.5:
        return f"| Field | Value |\n|---|---|\n| Name | {person(rng)} |\n| {label(rng, phrase)} | {value} |\n"
    return f"| Name | {label(rng, phrase)} | Status |\n| :--- | ---: | --- |\n| {person(rng)} | {value} | open |\n"


def statement(rng: random.Random, phrase: str, value: str) -> str:
    """A line of a database dump."""
    name = "_".join(phrase.lower().split())
    quoted = "'" + value.replace("'", "''") + "'"
    if rng.random() < 0.4:
        return f"UPDATE {rng.choice(WORDS)}_accounts SET {name} = {quoted} WHERE id = {rng.randrange(10_000)};"  # noqa: S608  (text to be scanned, no query)
    return (
        f"INSERT INTO `customers` (`id`, `{name}`, `created_at`) VALUES ({rng.randrange(100_000)},{quoted},"  # noqa: S608  (text to be scanned, no query)
        f"'{moment(rng):%Y-%m-%d %H:%M:%S}');"
    )


def markup(rng: random.Random, phrase: str, value: str) -> str:
    """XML or HTML."""
    shape = rng.randrange(5)
    name = styled(rng, phrase)
    if shape == 0:
        return f'<customer id="{rng.randrange(10_000)}"><{name}>{value}</{name}><active>true</active></customer>'
    if shape == 1:
        return f'<input type="text" class="form-control" name="{name}" value="{value}" required>'
    if shape == 2:
        return f"<tr><th>{label(rng, phrase)}</th><td>{value}</td></tr>"
    if shape == 3:
        return f'<dl class="row">\n  <dt>{label(rng, phrase)}</dt>\n  <dd>{value}</dd>\n</dl>'
    return f'<soap:Body><ns1:Lookup><ns1:{name} xsi:type="xsd:string">{value}</ns1:{name}></ns1:Lookup></soap:Body>'


def form(rng: random.Random, phrase: str, value: str) -> str:
    """What a form or a mail holds: a label and a value, on one line or on two."""
    said = label(rng, phrase)
    shape = rng.randrange(6)
    if shape == 0:
        return f"Name: {person(rng)}\n{said}: {value}\nStatus: verified\n"
    if shape == 1:
        return f"{said}\n{value}\n\nSigned on behalf of {person(rng)}"
    if shape == 2:
        return f"{'Applicant':<42}{person(rng)}\n{said:<42}{value}\n{'Branch':<42}{rng.choice(WORDS)}\n"
    if shape == 3:
        return f"[{said}]........: {value}\n[Agent]........: {person(rng)}"
    if shape == 4:
        return f"* {said} = {value}\n* Desk = {rng.choice(WORDS)}"
    return f"{said} # {value}"


def log_line(rng: random.Random, phrase: str, value: str) -> str:
    """A line of a log."""
    name = styled(rng, phrase)
    service = rng.choice(SERVICES)
    shape = rng.randrange(5)
    if shape == 0:
        return f"{stamp(rng)} WARN [{service}] validation failed for {name}={value} trace_id={hexadecimal(rng, 32)}"
    if shape == 1:
        return f'ts={stamp(rng)} level=info svc={service} msg="record saved" {name}="{value}" dur=12ms'
    if shape == 2:
        return f"{stamp(rng)} DEBUG {service}: request body: {{{name}: {value}, retry: false}}"
    if shape == 3:
        return json.dumps(
            {"time": stamp(rng), "lvl": 30, "msg": f"lookup {name} {value} gave 0 rows"}, ensure_ascii=False
        )
    return f"E {service}.py:{rng.randrange(900)}] bad field '{name}': '{value}' ({some_uuid(rng)})"


def request(rng: random.Random, phrase: str, value: str) -> str:
    """A request as it goes over the wire."""
    name = styled(rng, phrase)
    head = (
        f"POST /v2/{rng.choice(SERVICES)} HTTP/1.1\r\nHost: api.{rng.choice(WORDS)}.example\r\nContent-Type: a"
        "pplication/"
    )
    if any(sign in value for sign in " +#&%"):
        return f'{head}json\r\n\r\n{{"step":2,"{name}":"{value}"}}'
    if rng.random() < 0.5:
        return f"{head}x-www-form-urlencoded\r\n\r\n{name}={value}&lang=en&step=2"
    return f'"GET /v1/search?page=1&{name}={value} HTTP/2" 200 {rng.randrange(90_000)} "-" "curl/8.5.0"'


def code(rng: random.Random, phrase: str, value: str) -> str:
    """Test data and constants in programs."""
    name = styled(rng, phrase).replace("-", "_")
    shape = rng.randrange(6)
    if shape == 0:
        return f'{name} = "{value}"  # from the ticket of {person(rng)}'
    if shape == 1:
        return f"const {name} = '{value}';"
    if shape == 2:
        return f'private static final String {screaming(phrase)} = "{value}";'
    if shape == 3:
        return f"expect(customer.{name}).toEqual('{value}');"
    if shape == 4:
        return f'    assert lookup({name}="{value}").status == "open"'
    return f'customer := Customer{{Name: "{person(rng)}", {name[0].upper() + name[1:]}: "{value}"}}'


def yaml(rng: random.Random, phrase: str, value: str) -> str:
    """YAML."""
    said = rng.choice((value, f"'{value}'", f'"{value}"'))
    return f"customer:\n  name: {person(rng)}\n  {styled(rng, phrase)}: {said}\n  tags: [{rng.choice(WORDS)}, new]\n"


RECORDS: tuple[Carrier, ...] = (
    answer, answer, answer, pairs, table, table, markdown, statement, markup, form, form, log_line, log_line, request,
    code, yaml,
)  # fmt: skip
