"""Parses GraphQL texts, with bounds, and tells what is wrong with one as OPA's users know it."""

from __future__ import annotations

from typing import Final, NewType

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    Lexer,
    Node,
    Source,
    Token,
    TokenKind,
    TypeSystemDefinitionNode,
    TypeSystemExtensionNode,
    Visitor,
    parse,
    visit,
)

from authz_service.rego_engine.errors import BuiltinFault

Query = NewType("Query", DocumentNode)
SchemaText = NewType("SchemaText", DocumentNode)

MAX_LENGTH: Final = 500_000  # characters
MAX_QUERY_TOKENS: Final = 2_000  # comparing a query's fields takes time by their square
MAX_SCHEMA_TOKENS: Final = 50_000
MAX_DEPTH: Final = 60  # brackets of any kind within one another

_OPENING: Final = frozenset({TokenKind.BRACE_L, TokenKind.PAREN_L, TokenKind.BRACKET_L})
_CLOSING: Final = frozenset({TokenKind.BRACE_R, TokenKind.PAREN_R, TokenKind.BRACKET_R})
_WITH_VALUE: Final = frozenset(
    {TokenKind.NAME, TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING}
)


def read_query(text: str) -> Query:
    """Parse the text of operations and fragments.

    Raises:
        BuiltinFault: it cannot be parsed, or is out of bounds.
    """
    document = _parse(text, MAX_QUERY_TOKENS)
    for definition in document.definitions:
        if not isinstance(definition, ExecutableDefinitionNode):
            raise _misplaced(definition)
    visit(document, _SpreadCheck())
    return Query(document)


def read_schema(text: str) -> SchemaText:
    """Parse the text of a schema, as `read_query` does that of a query."""
    document = _parse(text, MAX_SCHEMA_TOKENS)
    for definition in document.definitions:
        if not isinstance(definition, TypeSystemDefinitionNode | TypeSystemExtensionNode):
            raise _misplaced(definition)
    return SchemaText(document)


def _parse(text: str, most_tokens: int) -> DocumentNode:
    if len(text) > MAX_LENGTH:
        raise BuiltinFault(f"GraphQL string is longer than {MAX_LENGTH} characters")
    source = Source(text)
    tokens = _tokens(source, most_tokens)
    if not tokens:
        return DocumentNode(definitions=())
    try:
        # With arguments of fragments comes what the spec once had, and OPA has: variables of fragments.
        return parse(source, experimental_fragment_arguments=True, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        raise _fault(error, tokens) from None


def _tokens(source: Source, most: int) -> list[Token]:
    """Return a text's tokens, without comments, none where only its end is left."""
    lexer = Lexer(source)
    found: list[Token] = []
    depth = 0
    try:
        while lexer.advance().kind != TokenKind.EOF:
            found.append(lexer.token)
            depth += (lexer.token.kind in _OPENING) - (lexer.token.kind in _CLOSING)
            if len(found) > most or depth > MAX_DEPTH:
                raise BuiltinFault(f"GraphQL string has more than {most} tokens or {MAX_DEPTH} levels")
    except GraphQLSyntaxError as error:
        raise _located("Unexpected <Invalid>", *_location(error)) from None
    return [*found, lexer.token] if found else []


def _located(text: str, line: int, column: int) -> BuiltinFault:
    return BuiltinFault(f"{text} in GraphQL string at location {line}:{column}")


def _location(error: GraphQLSyntaxError) -> tuple[int, int]:
    places = error.locations or []
    return (places[0].line, places[0].column) if places else (1, 1)


def _fault(error: GraphQLSyntaxError, tokens: list[Token]) -> BuiltinFault:
    """Word a fault of syntax by the token that it is about."""
    position = next(iter(error.positions or ()), 0)
    index = next((place for place, token in enumerate(tokens) if token.start >= position), len(tokens) - 1)
    found = tokens[index]
    message = error.message.removeprefix("Syntax Error: ")
    if not message.startswith("Expected "):
        return _unexpected(found)
    expected = message.removeprefix("Expected ").partition(", found")[0]
    if found.kind in _CLOSING and index and tokens[index - 1].kind in _OPENING:
        text = f"expected at least one definition, found {found.kind.value}"
    elif expected.strip("'").isalpha() and expected.startswith("'"):  # a keyword
        text = f'Expected "{expected[1:-1]}", found {_shown(found)}'
    else:
        expected = expected.strip("'")
        text = f"Expected {expected}, found {found.kind.value}"
    return _located(text, found.line, _column(found))


def _unexpected(token: Token) -> BuiltinFault:
    return _located(f"Unexpected {_shown(token)}", token.line, _column(token))


def _shown(token: Token) -> str:
    return f'{token.kind.value} "{token.value}"' if token.kind in _WITH_VALUE and token.value else token.kind.value


def _column(token: Token) -> int:
    # A string counts from behind its quote.
    return token.column + (token.kind == TokenKind.STRING)


def _misplaced(node: Node) -> BuiltinFault:
    if node.loc is None:
        return BuiltinFault("Unexpected definition")
    token = node.loc.start_token
    described = token.kind in {TokenKind.STRING, TokenKind.BLOCK_STRING}
    return _unexpected(token.next if described and token.next else token)


class _SpreadCheck(Visitor):
    """Refuses arguments of fragments: variables are all that is wanted of them."""

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_rest: object) -> None:
        if node.arguments and node.loc is not None and node.loc.start_token.next is not None:
            name = node.loc.start_token.next
            found = name.next or name
            raise _located(f"Expected Name, found {found.kind.value}", found.line, _column(found))
