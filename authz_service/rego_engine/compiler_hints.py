"""What regopy's front end refuses, or cannot survive, though OPA takes it: how to write it instead. Pure.

`hint` goes behind regopy's own message, which says where it stopped and seldom why. `crash_suspects` is for when its
process was gone: some forms of `with`, and `import data`, abort it.

- `with input as …` does where a rule under it, however deep, calls a function: `x > 1`, `x + 1`, `x in xs` and
  templates are calls, too, `==` is none.
- `with input as` a rule or a path below `data` or `input` always does; a local variable does not.
- `with` any other target as a path of a rule or below `data` does where a rule under it calls a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Final

from authz_service.rego_engine.lexer import MAX_TOKENS, Kind, Token, tokens
from service_kit.faults import Fault

MAX_CHARACTERS: Final = 4_000  # that a hint reads from a fault on
MAX_SUSPECTS: Final = 20  # of one module
MAX_PATH: Final = 50  # tokens of a path that is looked at

_BUNDLE: Final = "use a bundle that `opa build -t plan` made"
_OPERAND_ENDS: Final = frozenset({Kind.NAME, Kind.NUMBER, Kind.STRING, Kind.TEMPLATE, Kind.CLOSE})
_KEYWORDS: Final = frozenset({"if", "not", "in", "contains", "some", "every", "as", "with", "else", "and", "or"})
_NOTHING: Final = Token(Kind.SIGN, "", 0, 0, 0, spaced=True)


def hint(message: str, text_at_fault: str) -> str:
    """Return a clause on how to write what regopy refused, or nothing; `text_at_fault` is the source from there on."""
    found = _statement(text_at_fault[:MAX_CHARACTERS])
    for applies, clause in _HINTS:
        if applies(message, found):
            return clause
    return ""


def crash_suspects(name: str, text: str) -> Iterator[Fault]:
    """Yield a fault for each place that may have made regopy abort, the first `MAX_SUSPECTS` of a module."""
    for row, wrong in islice(_suspects(list(islice(tokens(text), MAX_TOKENS))), MAX_SUSPECTS):
        yield Fault(name, row, f"may have made the Rego compiler crash: {wrong}")


def _suspects(found: Sequence[Token]) -> Iterator[tuple[int, str]]:
    imported = {"data"}
    for number, token in enumerate(found):
        if token.kind is not Kind.NAME or (number and found[number - 1].text == "."):
            continue
        following = [each.text for each in found[number + 1 : number + 3]]
        if token.text == "import":
            imported.add(_imported_name(found, number))
            if following[:1] == ["data"] and not set(following[1:]) & {".", "[", "as"}:
                yield token.row, "leave out `import data`, or write `import data as name`"
        elif token.text == "with" and following == ["input", "as"]:
            clause = 'instead of `with input as …` replace single keys, `with input.method as "GET"`, or '
            yield token.row, clause + _BUNDLE
        elif token.text == "with" and _leads_to_rule(found, number, imported):
            clause = "give the value after `as` a name on a line before, `value := …`, and write `as value`, or "
            yield token.row, clause + _BUNDLE


def _imported_name(found: Sequence[Token], start: int) -> str:
    """Return the alias, or the path's last name."""
    name, *path = found[start + 1 : start + MAX_PATH] or [_NOTHING]
    for joint, part in zip(path[::2], path[1::2], strict=False):
        if joint.text not in {".", "as"}:
            break
        name = part
    return name.text


def _leads_to_rule(found: Sequence[Token], start: int, imported: Collection[str]) -> bool:
    """Tell whether the value of a `with` is a path; whether its first name is a local variable is not looked up."""
    depth = found[start].depth
    for token, value, after in _triples(found[start + 1 : start + MAX_PATH]):
        if token.depth < depth or token.text == "with":
            return False
        if token.depth == depth and token.text == "as":
            path = value.text in imported or (not after.spaced and after.text in {".", "["})
            return value.kind is Kind.NAME and value.text != "input" and path
    return False


def _statement(text: str) -> list[Token]:
    """Return the tokens up to where the next line starts a statement of the module."""
    found: list[Token] = []
    for token in tokens(text):
        starts = token.start > 0 and text[token.start - 1] == "\n" and token.depth == 0
        if starts and token.kind is Kind.NAME and token.text != "else":
            break
        found.append(token)
    return found


def _triples(found: Sequence[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Yield each token with the two behind it."""
    return zip(found, [*found[1:], _NOTHING], [*found[2:], _NOTHING, _NOTHING], strict=False)


def _between(found: Sequence[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Yield each token between its neighbours."""
    return zip([_NOTHING, *found], found, [*found[1:], _NOTHING], strict=False)


def _ends_operand(token: Token) -> bool:
    return token.kind in _OPERAND_ENDS and token.text not in _KEYWORDS


def _has_logical(_: str, found: Sequence[Token]) -> bool:
    return any(
        token.text in {"and", "or"} and after.text != "(" and (before.text != "." or found[0].text == "import")
        for before, token, after in _between(found)
    )


def _has_negated_body(_: str, found: Sequence[Token]) -> bool:
    return any(token.text == "not" and after.text == "{" for _, token, after in _between(found))


def _has_every_on_head(_: str, found: Sequence[Token]) -> bool:
    return any(token.text == "if" and after.text == "every" for _, token, after in _between(found))


def _has_with_on_head(_: str, found: Sequence[Token]) -> bool:
    depth = min((token.depth for token in found), default=0)
    bodies = [after.text for _, token, after in _between(found) if token.text == "if" and token.depth == depth]
    return any(body != "{" for body in bodies) and any(t.text == "with" and t.depth == depth for t in found)


def _has_bodiless_else(_: str, found: Sequence[Token]) -> bool:
    branches = any(token.text == "else" and after.text == "if" for _, token, after in _between(found))
    return branches and any(token.text == "if" and after.text != "{" for _, token, after in _between(found))


def _has_fraction(_: str, found: Sequence[Token]) -> bool:
    return any(
        token.text == "." and after.kind is Kind.NUMBER and not after.spaced and not _ends_operand(before)
        for before, token, after in _between(found)
    )


def _has_negative_name(_: str, found: Sequence[Token]) -> bool:
    return any(
        token.text == "-" and (after.kind is Kind.NAME or after.text == "(") and not _ends_operand(before)
        for before, token, after in _between(found)
    )


def _has_computed_key(message: str, found: Sequence[Token]) -> bool:
    start = "".join(token.text for token in found if token.depth == 0)
    return message == "Invalid collection" and bool(re.search(r"[-+*/%&|].*:(?!=)", start))


def _has_grouped_value(_: str, found: Sequence[Token]) -> bool:
    return any(token.text == "contains" and after.text == "(" and after.spaced for _, token, after in _between(found))


def _has_indexed_group(_: str, found: Sequence[Token]) -> bool:
    groups: list[bool] = []  # for each open bracket, whether it is one that groups
    for before, token, after in _between(found):
        if token.kind is Kind.OPEN:
            groups.append(token.text == "(" and (token.spaced or not _ends_operand(before)))
        elif token.kind is Kind.CLOSE and groups and groups.pop() and after.text in {"[", "."} and not after.spaced:
            return True
    return False


_HINTS: Final[tuple[tuple[Callable[[str, Sequence[Token]], bool], str], ...]] = (
    (_has_logical, "write `a and b` as two expressions, `a or b` as two rules of one name"),
    (_has_negated_body, "`not { … }` needs `import future.keywords.not`"),
    (_has_every_on_head, "write `every` inside the rule's braces, `if { every x in xs { … } }`"),
    (_has_with_on_head, "write `with` inside the rule's braces, `if { … with … as … }`"),
    (_has_bodiless_else, "write the branch with `else := true if …` or with braces, `else if { … }`"),
    (_has_fraction, "write a digit before the point, `0.5` for `.5`"),
    (_has_negative_name, "give `-x` a name on a line before, `value := 0 - x`, and write `value`"),
    (_has_computed_key, "give the key a name, `key := …`, and write `{key: …}`"),
    (_has_grouped_value, "leave out the parentheses after `contains`"),
    (_has_indexed_group, "give what stands in parentheses a name, `value := …`, and write `value[…]`"),
)
