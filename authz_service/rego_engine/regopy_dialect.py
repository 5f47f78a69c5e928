"""What regopy writes otherwise than OPA, and what it leaves out. Pure.

- A string that was a literal is quoted, any other is not; both keep their JSON escapes. Rows count from 0.
- `every` over something that is no collection must be undefined; regopy's plan lets it hold. The check goes in here,
  where OPA has it.
- `input` where there is none must be undefined; OPA's plan checks it wherever it is used whole, regopy's does not.
- A built-in that it does not know gets input and data like a rule, and none of them is an operand.
- `not` holds where an operand within it is undefined: see `negations`.
- A dynamic reference may lead to a base document: OPA plans both ways, regopy the call alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.negations import parted
from authz_service.rego_engine.plan import Local, Plan, Statement
from service_kit.faults import Fault

_QUOTED = 2  # a quote at each end
_DOCUMENTS = 2  # that every rule takes: input and data
_RULE = re.compile(r"g\d+\.data\.")


class RegopyDialect:
    """As regopy writes it; `negating_bodies` are the files whose `not` negates a body."""

    row_offset = 1
    dynamic_prefix: tuple[str, ...] = ("data",)
    falls_back = True

    def __init__(self, negating_bodies: Collection[str] = ()) -> None:
        self._negating_bodies = negating_bodies

    def string(self, text: str) -> str:
        """Undo the JSON escapes, and the quotes where there are any."""
        quoted = len(text) >= _QUOTED and text[0] == text[-1] == '"'
        value = json.loads(text if quoted else f'"{text}"', strict=False)
        if not isinstance(value, str):
            raise TypeError("a string of the plan is none")
        return value

    def block(self, statements: Sequence[Statement]) -> Sequence[Statement]:
        """Put in the checks that OPA's plan has."""
        found: list[Statement] = []
        for number, statement in enumerate(map(_as_builtin, statements)):
            if _uses_whole_input(statement):
                found.append(plan.IsDefined(plan.INPUT, where=statement.where))
            if (
                isinstance(statement, plan.IsDefined)
                and number + 1 < len(statements)
                and isinstance(following := statements[number + 1], plan.Scan)
                and following.source == statement.source
            ):
                collection = plan.IsType(Local(statement.source), (list, dict, set), where=statement.where)
                found += [statement, collection]
                continue
            if isinstance(statement, plan.Not) and statement.where.file not in self._negating_bodies:
                found += parted(statement)
                continue
            found.append(statement)
        return found


def misplaced(found: Plan) -> Iterator[Fault]:
    """Every place where the plan reads a local before anything assigns it.

    regopy puts some expressions in an order in which they cannot be evaluated, an object with a variable before what
    gives the variable its value: the result would be wrong, so such a policy is refused.
    """
    for function in found.functions.values():
        assigned = set(function.parameters)
        for statement in flow.walk(function.blocks):
            early = {each.number for each in flow.operands(statement) if isinstance(each, Local)} - assigned
            if early:
                name = function.name.partition(".")[2]
                text = (
                    f"uses a variable in {name} before the expression that gives it its value, in the order that regopy"
                    " compiles to: write that expression as `name := value`, on a line before"
                )
                yield Fault(function.where.file, statement.where.row or function.where.row, text)
                break
            assigned.update(flow.writes(statement))
        for statement in flow.walk(function.blocks):
            if isinstance(statement, plan.Call) and statement.function.startswith("rego.metadata."):
                text = f"calls {statement.function}, which only a bundle that `opa build -t plan` made can do"
                yield Fault(statement.where.file, statement.where.row, text)


def _as_builtin(statement: Statement) -> Statement:
    """Leave out input and data where regopy hands them to a function that it does not know, and that is a built-in."""
    if isinstance(statement, plan.Call) and not _RULE.match(statement.function):
        documents, operands = statement.arguments[:_DOCUMENTS], statement.arguments[_DOCUMENTS:]
        builtin = find(statement.function) if documents == (Local(plan.INPUT), Local(plan.DATA)) else None
        if builtin is not None and builtin.arity == len(operands):
            return replace(statement, arguments=operands)
    return statement


def _uses_whole_input(statement: Statement) -> bool:
    whole = Local(plan.INPUT)
    match statement:
        case plan.Call(function=function, arguments=arguments):
            return whole in (arguments[2:] if _RULE.match(function) else arguments)
        case plan.Assign(source=source) | plan.AssignOnce(source=source) | plan.Length(source=source):
            return source == whole
        case plan.Append(value=value) | plan.Add(value=value):
            return value == whole
        case plan.Insert(key=key, value=value):
            return whole in (key, value)
        case plan.Equal(left=left, right=right) | plan.NotEqual(left=left, right=right):
            return whole in (left, right)
        case _:
            return False
