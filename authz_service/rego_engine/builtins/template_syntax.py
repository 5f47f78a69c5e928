"""Reads templates in the syntax of Go's text/template: all but define, template, block, and character constants."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from authz_service.rego_engine.builtins.rego_text import quote
from authz_service.rego_engine.builtins.template_nodes import (
    Action,
    Branch,
    Break,
    Call,
    Continue,
    Dot,
    Expression,
    Fields,
    Literal,
    Node,
    Pipeline,
    Range,
    Text,
    Turn,
    Variable,
)
from authz_service.rego_engine.builtins.template_values import FUNCTIONS
from authz_service.rego_engine.errors import BuiltinFault

MAX_CHARACTERS: Final = 64 * 1024  # of a template
MAX_NESTING: Final = 60  # levels of blocks and parentheses

_SPACE: Final = " \t\r\n"
_COMMENT: Final = re.compile(r"/\*.*?\*/(?=[ \t\r\n]*-?\}\})", re.DOTALL)
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<end>\}\})|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<raw>`[^`]*`)
    |(?P<number>[+-]?[0-9][0-9A-Za-z_.]*)|(?P<variable>\$\w*)|(?P<field>\.[^\W\d]\w*)|(?P<word>[^\W\d]\w*)
    |(?P<mark>:=|[=|(),.])|(?P<trim>-\}\})""",
    re.VERBOSE,
)
_WORDS: Final = {"true": True, "false": False, "nil": None}
_REFUSED: Final = frozenset({"define", "template", "block"})
_KEYWORDS: Final = frozenset({"if", "with", "range", "else", "end", "break", "continue"}) | _REFUSED


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    spaced: bool  # white space stands before it


_END: Final = _Token("end", "}}", spaced=True)


def parsed(source: str) -> tuple[Node, ...]:
    """Return a template's nodes, or raise `BuiltinFault`."""
    if len(source) > MAX_CHARACTERS:
        raise BuiltinFault(f"the template is longer than {MAX_CHARACTERS} characters")
    parser = _Parser(list(_pieces(source)))
    nodes, closer = parser.nodes(in_range=False)
    if closer:
        raise BuiltinFault(f"template: unexpected {{{{{closer[0].text}}}}}")
    return nodes


def _pieces(source: str) -> list[str | list[_Token]]:
    """Take a template apart, into texts and the tokens of actions, white space trimmed where - stands at braces."""
    pieces: list[str | list[_Token]] = []
    place = 0
    trims = False
    while True:
        start = source.find("{{", place)
        text = source[place : start if start >= 0 else len(source)]
        text = text.lstrip(_SPACE) if trims else text
        place = start + 2
        if start >= 0 and source.startswith("-", place) and source[place + 1 : place + 2] in tuple(_SPACE):
            text = text.rstrip(_SPACE)
            place += 1
            while source[place : place + 1] in tuple(_SPACE):
                place += 1
        pieces.append(text)
        if start < 0:
            return pieces
        comment = _COMMENT.match(source, place)
        tokens, place, trims = _action(source, comment.end() if comment else place)
        if not comment:
            pieces.append(tokens)
        elif tokens:
            raise BuiltinFault("template: comment ends before closing delimiter")


def _action(source: str, place: int) -> tuple[list[_Token], int, bool]:
    """Return an action's tokens, where it ends, and whether the space after it is trimmed."""
    tokens: list[_Token] = []
    spaced = False
    while True:
        found = _TOKEN.match(source, place)
        if not found:
            raise BuiltinFault("template: unclosed action" if place >= len(source) else "template: bad character")
        kind = found.lastgroup or ""
        place = found.end()
        if kind == "end" or (kind == "trim" and spaced):
            return tokens, place, kind == "trim"
        if kind == "space":
            spaced = True
        else:
            tokens.append(_Token(kind, found[0], spaced))
            spaced = False


class _Parser:
    """Reads nodes from pieces, and expressions from the tokens of one action."""

    def __init__(self, pieces: list[str | list[_Token]]) -> None:
        self._pieces = pieces
        self._piece = 0
        self._tokens: list[_Token] = []
        self._token = 0
        self._nesting = 0

    def nodes(self, *, in_range: bool) -> tuple[tuple[Node, ...], list[_Token]]:
        """Read nodes up to an {{end}} or {{else}}, and return the tokens of that, or none at the template's end."""
        nodes: list[Node] = []
        while self._piece < len(self._pieces):
            piece = self._pieces[self._piece]
            self._piece += 1
            if isinstance(piece, str):
                if piece:
                    nodes.append(Text(piece))
                continue
            word = piece[0].text if piece and piece[0].kind == "word" else ""
            if word in {"end", "else"}:
                return tuple(nodes), piece
            nodes.append(self._node(word, piece, in_range=in_range))
        return tuple(nodes), []

    def _node(self, word: str, tokens: list[_Token], *, in_range: bool) -> Node:
        if word in _REFUSED:
            raise BuiltinFault(f"template: {{{{{word}}}}} is not supported")
        if word in {"break", "continue"}:
            if not in_range or len(tokens) > 1:
                raise BuiltinFault(f"template: {{{{{word}}}}} outside {{{{range}}}}")
            return Turn(Break if word == "break" else Continue)
        if word in {"if", "with", "range"}:
            return self._block(word, tokens, 1, in_range=in_range)
        return Action(self._pipeline(tokens, 0))

    def _block(self, word: str, tokens: list[_Token], start: int, *, in_range: bool) -> Node:
        self._nest()
        pipeline = self._pipeline(tokens, start, is_range=word == "range")
        body, closer = self.nodes(in_range=in_range or word == "range")
        otherwise: tuple[Node, ...] = ()
        if closer and closer[0].text == "else":
            if len(closer) > 1 and closer[1].text == word != "range":
                otherwise = (self._block(word, closer, 2, in_range=in_range),)
                closer = [_END]
            elif len(closer) > 1:
                raise BuiltinFault("template: unexpected text after {{else}}")
            else:
                otherwise, closer = self.nodes(in_range=in_range)
        if len(closer) != 1 or closer[0].text == "else":
            raise BuiltinFault("template: unexpected EOF" if not closer else "template: unexpected {{else}}")
        self._nesting -= 1
        if word == "range":
            return Range(pipeline, body, otherwise)
        return Branch(pipeline, body, otherwise, is_with=word == "with")

    def _pipeline(self, tokens: list[_Token], start: int, *, is_range: bool = False) -> Pipeline:
        """Read all the tokens of an action, from one on."""
        self._tokens, self._token = tokens, start
        names: list[str] = []
        declares = False
        marks = [token.text for token in tokens[start : start + 4]]
        length = (
            2 if marks[1:2] in ([":="], ["="]) else 4 if is_range and marks[1::2] in ([",", ":="], [",", "="]) else 0
        )
        if length and all(token.kind == "variable" for token in tokens[start : start + length : 2]):
            names = marks[0:length:2]
            declares = marks[length - 1] == ":="
            self._token += length
        expression = self._piped()
        if self._token < len(tokens):
            raise self._unexpected()
        return Pipeline(expression, tuple(names), declares)

    def _piped(self) -> Expression:
        """Read commands with | between them; each gets the value before it as its last operand."""
        found = self._command(None)
        while self._peek().text == "|":
            self._token += 1
            found = self._command(found)
        return found

    def _command(self, last: Expression | None) -> Expression:
        token = self._peek()
        if token.kind == "word" and token.text not in _WORDS:
            if token.text not in FUNCTIONS and token.text not in {"and", "or"}:
                raise BuiltinFault(f"template: function {quote(token.text)} not defined")
            self._token += 1
            operands = []
            while self._peek() is not _END and self._peek().text not in {"|", ")"}:
                operands.append(self._operand())
            return Call(token.text, tuple(operands if last is None else [*operands, last]))
        found = self._operand()
        if last is not None or (self._peek() is not _END and self._peek().text not in {"|", ")"}):
            raise BuiltinFault("template: can't give argument to non-function")
        if found == Literal(None):
            raise BuiltinFault("template: nil is not a command")
        return found

    def _operand(self) -> Expression:
        token = self._peek()
        self._token += 1
        if token.kind == "field":
            self._token -= 1
            return self._fields(Dot(), is_first=True)
        if token.kind == "variable":
            return self._fields(Variable(token.text))
        if token.text == "(":
            self._nest()
            found = self._piped()
            if self._peek().text != ")":
                raise self._unexpected()
            self._token += 1
            self._nesting -= 1
            return self._fields(found)
        if token.text == ".":
            return Dot()
        if token.kind == "word" and token.text in FUNCTIONS:
            return Call(token.text, ())
        literal = _literal(token)
        if self._peek().kind == "field" and not self._peek().spaced:
            raise self._unexpected()
        return literal

    def _fields(self, of: Expression, *, is_first: bool = False) -> Expression:
        """Read the names that follow an operand without space between."""
        names: list[str] = []
        while self._peek().kind == "field" and (is_first or not self._peek().spaced):
            names.append(self._peek().text[1:])
            self._token += 1
            is_first = False
        return Fields(of, tuple(names)) if names else of

    def _peek(self) -> _Token:
        return self._tokens[self._token] if self._token < len(self._tokens) else _END

    def _unexpected(self) -> BuiltinFault:
        return BuiltinFault(f"template: unexpected {quote(self._peek().text)}")

    def _nest(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise BuiltinFault(f"template: more than {MAX_NESTING} levels")


def _literal(token: _Token) -> Literal:
    value: Any = None
    try:
        if token.kind == "string":
            value = json.loads(token.text)
        elif token.kind == "raw":
            value = token.text[1:-1]
        elif token.kind == "number":
            value = int(token.text, 0) if re.fullmatch(r"[+-]?(?:[0-9]+|0\w+)", token.text) else float(token.text)
            if not math.isfinite(value):
                raise ValueError(token.text)  # noqa: TRY301  (as where Python reads no number)
        elif token.text in _WORDS and token.kind == "word":
            value = _WORDS[token.text]
        else:
            raise BuiltinFault(f"template: unexpected {quote(token.text)}")
    except ValueError:
        raise BuiltinFault(f"template: bad constant {quote(token.text)}") from None
    return Literal(value)
