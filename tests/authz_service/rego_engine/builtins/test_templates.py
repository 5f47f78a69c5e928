"""Templates."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import templates
from authz_service.rego_engine.errors import BUILTIN_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value, make_object, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

SHOP = {"name": "Ada", "items": ["pen", "ink"], "count": 2, "price": 1.5, "paid": False, "to": {"city": "Köln"}}


def render(template: str, variables: Value = SHOP) -> Value:
    return call("strings.render_template", template, variables)


CASES: list[tuple[str, list[Value], Value]] = [
    ("strings.render_template", [template, SHOP], text)
    for template, text in [
        ("Dear {{.name}} in {{.to.city}}!", "Dear Ada in Köln!"),
        ("{{.count}} {{.price}} {{.paid}} {{.items}} {{.to}}", "2 1.5 false [pen ink] map[city:Köln]"),
        ("{{.nothing}} {{.nothing.more}}", "<undefined> <undefined>"),
        ("{{if .paid}}paid{{else if .items}}open{{else}}none{{end}}", "open"),
        ("{{if .count}}yes{{end}}", "yes"),
        ("{{range .items}}<{{.}}>{{end}}", "<pen><ink>"),
        ("{{range $i, $item := .items}}{{if $i}}, {{end}}{{$item}}{{end}}", "pen, ink"),
        ("{{range $key, $value := .to}}{{$key}}={{$value}}{{end}}", "city=Köln"),
        ("{{range .none}}x{{else}}none{{end}}", "none"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ('{{range .items}}{{if eq . "pen"}}{{continue}}{{end}}{{.}}{{break}}{{end}}', "ink"),
        ("{{range .items}}{{$.name}} {{end}}", "Ada Ada "),
        ("{{with .to}}{{.city}}{{end}}{{with .none}}x{{else}}-{{end}}", "Köln-"),
        ('{{$x := .name}}{{$x}}{{if true}}{{$x = "Eve"}}{{$x := 1}}{{$x}}{{end}}{{$x}}', "Ada1Eve"),
        ("a  {{- .name -}}  b {{- /* no text */ -}} c", "aAdabc"),
        ("{{/* no text */}}a", "a"),
        ('{{printf "%s has %q" .name .count}} {{.name | printf "<%s>"}}', 'Ada has "2" <Ada>'),
        ('{{len .items}} {{len .to.city}} {{index .items 1}} {{index .to "city"}}', "2 5 ink Köln"),
        ('{{(index .items 0) | len | printf "%02d"}}', "03"),
        ('{{eq .name "Eve" "Ada"}} {{ne .name "Ada"}} {{eq .count "2"}} {{eq .none nil}}', "true false true true"),
        ('{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}} {{not .paid}}', "true true false true true"),
        ("{{and .name .paid .items}} {{or .paid .name}} {{and true}}", "false Ada true"),
        ('{{print 1 2 "a" 3}} {{println .name}}', "1 2a3 Ada\n"),
        ("{{html \"<a&'\\\">\"}} {{urlquery .to.city \"&\"}}", "&lt;a&amp;&#39;&#34;&gt; K%C3%B6ln%26"),
        ('{{"a\\tb"}} {{`raw`}} {{-3}} {{0x1f}} {{1.5}} {{true}}', "a\tb raw -3 31 1.5 true"),
        ("<no value>", "<undefined>"),
        ("no action", "no action"),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_template_is_rendered_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_sets_are_arrays_and_keys_are_texts() -> None:
    assert render("{{range .a}}{{.}}{{end}}", {"a": make_set([2, 1])}) == "12"
    assert render('{{index . "1"}}', make_object([(1, "x")])) == "x"  # fmt: skip


@pytest.mark.parametrize(
    "template",
    [
        "{{.name",
        "{{.name}",
        "{{}}",
        "{{end}}",
        "{{else}}",
        "{{if .a}}",
        "{{if .a}}{{else}}{{else}}{{end}}",
        "{{if .a}}{{else range .b}}{{end}}",
        "{{range .name}}{{end}}",
        "{{break}}",
        "{{nope .a}}",
        "{{.name .count}}",
        "{{.name | .count}}",
        "{{.name.first}}",
        "{{.name-x}}",
        "{{$y}}",
        "{{$y = 1}}",
        "{{nil}}",
        "{{true.a}}",
        "{{(.name}}",
        "{{.name)}}",
        "{{'a'}}",
        '{{"a}}',
        '{{"\\x"}}',
        "{{1e999}}",
        "{{1z}}",
        "{{index .items 5}}",
        '{{index .items "a"}}',
        "{{len .count.x}}",
        "{{len 1}}",
        "{{eq .name}}",
        "{{eq .items .items}}",
        "{{eq .count 2}}",
        '{{lt 1 "a"}}',
        "{{not}}",
        "{{not 1 2}}",
        "{{printf}}",
        "{{printf 1}}",
        '{{define "x"}}{{end}}',
        '{{template "x"}}',
        '{{block "x" .}}{{end}}',
        "{{call .name}}",
        "{{js .name}}",
        "{{/* a */ .name}}",
    ],
)
def test_what_is_no_template_or_has_no_result_is_a_fault(template: str) -> None:
    found = fault("strings.render_template", template, SHOP)
    assert found.code == BUILTIN_ERROR


def test_operands_of_the_wrong_type_are_a_fault() -> None:
    assert fault("strings.render_template", 1, {}).text == "operand 1 must be string but got number"
    assert fault("strings.render_template", "", []).text == "operand 2 must be object but got array"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{range 1000}}{{range 1000}}{{end}}{{end}}", "steps"),
        ("{{range 90000}}{{$.long}}{{end}}", "longer than"),
        ("{{if 1}}" * 61 + "{{end}}" * 61, "levels"),
        ("{{" + "(" * 61 + ")" * 61 + "}}", "levels"),
        ("x" * 70_000, "longer than"),
        ("{{$x := 1}}" * 101, "variables"),
    ],
)
def test_templates_have_bounds(template: str, text: str) -> None:
    assert text in fault("strings.render_template", template, {"long": "x" * 1000}).text


PIECES = ["{{", "}}", "if ", "end", "else", "range ", "with ", ".a", ".", "$x", " := ", " = ", "1", '"s"', "(", ")",
          "|", " ", "eq ", "len ", "index ", "printf ", "- ", " -", "/*", "*/", "break", ",", "x"]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from([{}, {"a": [1, "x"]}, {"a": {"b": 1}}])
)
def test_no_template_raises_anything_but_a_fault(template: str, variables: Value) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(render(template, variables)) is str


@given(st.lists(st.sampled_from(PIECES), max_size=6).map(lambda parts: f"{{{{{''.join(parts)}}}}}"))
def test_no_action_raises_anything_but_a_fault(template: str) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(render(template, {"a": [1, "x"]})) is str


@pytest.mark.parametrize("name", declared(templates))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
