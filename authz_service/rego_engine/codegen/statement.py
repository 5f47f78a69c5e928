"""Each statement of the IR → lines of Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.codegen import building
from authz_service.rego_engine.codegen.calls import DOCUMENTS
from authz_service.rego_engine.codegen.expression import comparison, local, look_up
from authz_service.rego_engine.codegen.function import FunctionWriter
from authz_service.rego_engine.codegen.inline import inline_call
from authz_service.rego_engine.literals import literal
from authz_service.rego_engine.plan import Block, Statement

_TYPE_TESTS: Mapping[type, str] = {list: "list", dict: "dict", set: "set"}
SHORT = 16  # items of an array that is gone through without a look at the clock


class StatementWriter(FunctionWriter):
    """Writes the statements of one function. `names` are the functions of the plan, as they are called here."""

    def __init__(self, module: Any, names: Mapping[str, str], *, function: plan.Function | None) -> None:
        super().__init__(module.constants, probes=module.options.probes)
        self.module = module
        self.names = names
        self.function = function
        blocks = function.blocks if function else ()
        self.reads = Counter(number for each in flow.walk(blocks) for number in flow.reads(each))
        self.built_on = {number for each in flow.walk(blocks) if (number := flow.changes(each)) is not None}

    def write_block(self, block: Block) -> None:
        """Write the statements of a block, whose frame is open."""
        statements = list(block.statements)
        while statements:
            statement = statements.pop(0)
            self.place(statement.where)
            if self.probes and statement.where.row:
                self.line(f"ev.covered.add({self.module.place_number(statement.where)})")
            if isinstance(statement, plan.Make) and not self.probes:
                building.make(self, statement, building.built_at_once(statement, statements))
                continue
            _WRITERS[type(statement)](self, statement)
            if not isinstance(statement, plan.Make | plan.Reset):
                for number in flow.writes(statement):
                    if number in self.built_on:
                        self.line(f"{local(number)} = copied({local(number)})")
            if isinstance(statement, plan.Return | plan.ReturnValue | plan.Break):
                break  # what follows is never reached

    def check(self, holds: str, fails: str, statement: Statement) -> None:
        """Go on only if `holds`; with probes, note where it did not."""
        if self.probes and statement.where.row:
            number = self.module.place_number(statement.where)
            holds, fails = f"{holds} or ev.failed({number})", f"({fails}) and not ev.failed({number})"
        self.guard(holds, fails)

    def defined(self, target: int, statement: Statement) -> None:
        """Go on only if a local that has just been assigned is defined."""
        self.check(f"{local(target)} is not UNDEFINED", f"{local(target)} is UNDEFINED", statement)


def _blocks(writer: StatementWriter, statement: plan.Blocks) -> None:
    for block in statement.blocks:
        with writer.once(block):
            writer.write_block(block)


def _break(writer: StatementWriter, statement: plan.Break) -> None:
    writer.leave(statement.index)


def _call(writer: StatementWriter, statement: plan.Call) -> None:
    target = local(statement.target)
    arguments = [writer.show(each) for each in statement.arguments]
    name = writer.names.get(statement.function)
    if name is not None:
        call = f"{name}({', '.join(['ev', *arguments])})"
        memo = writer.module.memo_key(statement.function, arguments)
        if memo is None:
            writer.line(f"{target} = {call}")
        else:
            _remembered(writer, target, memo, call, arguments)
        writer.defined(statement.target, statement)
        return
    builtin = find(statement.function)
    if builtin is None:
        raise AssertionError("the plan was checked for calls of what is not there")
    written, certain = inline_call(statement, builtin, arguments, writer.module)
    if certain:
        writer.line(f"{target} = {written}")
        return
    writer.line("try:")
    with writer.indented():
        writer.line(f"{target} = {written}")
    writer.line("except BuiltinFault as fault:")
    with writer.indented():
        writer.line(f"{target} = ev.fault(fault, {literal(builtin.name)}, {literal(str(statement.where))})")
    writer.defined(statement.target, statement)


def _remembered(writer: StatementWriter, target: str, memo: str, call: str, arguments: list[str]) -> None:
    """Write a call whose result is kept; with it its operands, so that their identities stay theirs."""
    if len(arguments) == DOCUMENTS:
        writer.line(f"{target} = ev.memo.get({memo}, MISSING)")
        writer.line(f"if {target} is MISSING:")
        with writer.indented():
            writer.line(f"{target} = ev.memo[{memo}] = {call}")
        return
    writer.line(f"memo = {memo}")
    writer.line("kept = ev.memo.get(memo)")
    writer.line("if kept is None:")
    with writer.indented():
        writer.line(f"kept = ev.memo[memo] = ({', '.join([call, *arguments[DOCUMENTS:]])})")
    writer.line(f"{target} = kept[0]")


def _call_dynamic(writer: StatementWriter, statement: plan.CallDynamic) -> None:
    target = local(statement.target)
    path = ", ".join(writer.show(each) for each in statement.path)
    arguments = ", ".join(local(each) for each in statement.arguments)
    if statement.falls_back:
        writer.line(f"{target} = RULES.look_up(ev, ({path},), ({arguments},))")
        writer.defined(statement.target, statement)
        return
    writer.line(f"{target} = RULES.call(ev, ({path},), ({arguments},))")
    if statement.leaves == 0:
        writer.guard(f"{target} not in NO_VALUE", f"{target} in NO_VALUE")
        return
    writer.line(f"if {target} is UNDEFINED:")
    with writer.indented():
        writer.leave(statement.leaves)
    writer.guard(f"{target} is not MISSING", f"{target} is MISSING")


def _dispatch(writer: StatementWriter, statement: plan.Dispatch) -> None:
    """Write the look-up of the blocks to run, which are functions of their own."""
    if writer.function is None:
        raise AssertionError("an entrypoint has no dispatch")
    effects = {type(each) for each in flow.walk(statement.blocks) if type(each) in {plan.ReturnValue, plan.AssignOnce}}
    own = {*writer.function.parameters, statement.result}
    parameters = [*writer.function.parameters, *sorted(flow.unassigned(own, statement.blocks))]
    result = local(statement.result)
    if plan.ReturnValue not in effects:
        parameters.append(statement.result)
    end = result if plan.AssignOnce in effects else "UNDEFINED"
    table = writer.module.table(writer.function, statement, parameters, end)
    call = f"case({', '.join(['ev', *map(local, parameters)])})"
    subject = local(statement.subject)
    writer.line(f"for case in {table}.get({subject} if type({subject}) is str else key({subject}), ()):")
    with writer.indented():
        if plan.ReturnValue in effects:
            writer.line(f"found = {call}")
            writer.line("if found is not UNDEFINED:")
            with writer.indented():
                writer.line("return found")
        else:
            writer.line(f"{result} = {call}" if plan.AssignOnce in effects else call)


def _dot(writer: StatementWriter, statement: plan.Dot) -> None:
    _fetch(writer, plan.Fetch(statement.source, statement.key, statement.target))
    writer.defined(statement.target, statement)


def _fetch(writer: StatementWriter, statement: plan.Fetch) -> None:
    writer.line(f"{local(statement.target)} = {look_up(statement.source, statement.key, writer.constants)}")


def _equal(writer: StatementWriter, statement: plan.Equal) -> None:
    same, other = comparison(statement.left, statement.right, writer.constants)
    writer.check(same, other, statement)


def _not_equal(writer: StatementWriter, statement: plan.NotEqual) -> None:
    same, other = comparison(statement.left, statement.right, writer.constants)
    writer.check(other, same, statement)


def _member(writer: StatementWriter, statement: plan.Member) -> None:
    source, item = writer.show(statement.source), writer.show(statement.item)
    holds = f"contains({source}, {item})"
    if isinstance(statement.source, plan.Constant) and type(statement.source.value) is set:
        holds = f"({item} if type({item}) is str else key({item})) in {source}"
    elif isinstance(statement.item, plan.Constant) and type(statement.item.value) is str:
        holds = f"({item} in {source} if type({source}) is list else {holds})"
    writer.check(holds, f"not {holds}" if holds[0] == "(" and holds[-1] == ")" else f"not ({holds})", statement)


def _is_type(writer: StatementWriter, statement: plan.IsType) -> None:
    shown = writer.show(statement.source)
    if len(statement.types) == 1:
        name = _TYPE_TESTS[statement.types[0]]
        writer.check(f"type({shown}) is {name}", f"type({shown}) is not {name}", statement)
    else:
        names = "{" + ", ".join(_TYPE_TESTS[each] for each in statement.types) + "}"
        writer.check(f"type({shown}) in {names}", f"type({shown}) not in {names}", statement)


def _is_defined(writer: StatementWriter, statement: plan.IsDefined) -> None:
    writer.defined(statement.source, statement)


def _is_undefined(writer: StatementWriter, statement: plan.IsUndefined) -> None:
    shown = local(statement.source)
    writer.check(f"{shown} is UNDEFINED", f"{shown} is not UNDEFINED", statement)


def _assign(writer: StatementWriter, statement: plan.Assign) -> None:
    writer.line(f"{local(statement.target)} = {writer.show(statement.source)}")


def _assign_once(writer: StatementWriter, statement: plan.AssignOnce) -> None:
    target, source = local(statement.target), writer.show(statement.source)
    writer.line(f"if {target} is not UNDEFINED and not equal({target}, {source}):")
    with writer.indented():
        writer.line(f"ev.conflict({_conflict(writer)}, {literal(str(statement.where))})")
    writer.line(f"{target} = {source}")


def _conflict(writer: StatementWriter) -> str:
    """Return the text, as a literal, for two values of the function that is being written."""
    if writer.function is None:
        return "'conflicting values'"
    name = writer.function.name.partition(".")[2]
    if len(writer.function.parameters) > DOCUMENTS:
        return literal(f"function {name} produced conflicting values for the same inputs")
    return literal(f"rule {name} produced conflicting values")


def _reset(writer: StatementWriter, statement: plan.Reset) -> None:
    writer.line(f"{local(statement.target)} = UNDEFINED")


def _length(writer: StatementWriter, statement: plan.Length) -> None:
    writer.line(f"{local(statement.target)} = length({writer.show(statement.source)})")
    writer.defined(statement.target, statement)


def _scan(writer: StatementWriter, statement: plan.Scan) -> None:
    key = None if statement.key is None else local(statement.key)
    value = None if statement.value is None else local(statement.value)
    order = "any" if writer.module.options.any_order and flow.order_is_unseen(statement, writer.reads) else "item"
    if key and value:
        walk = "any_items" if order == "any" else "items"
        head = f"for {key}, {value} in {walk}(ev, {local(statement.source)}):"
    else:
        kind = "keys" if key else "values"
        walk = f"{order}_{kind}(ev, {local(statement.source)})"
        head = f"for {key or value or '_'} in {_short(writer, statement, walk) if value else walk}:"
    with writer.loop(head, statement.block):
        writer.write_block(statement.block)


def _short(writer: StatementWriter, statement: plan.Scan, walk: str) -> str:
    """Return the expression of the items; a short array's without a call, if nothing in the block takes long itself."""
    takes_long = any(
        isinstance(each, plan.Scan | plan.Call | plan.CallDynamic) for each in flow.walk([statement.block])
    )
    if takes_long or not writer.module.options.inline:
        return walk
    shown = local(statement.source)
    return f"({shown} if type({shown}) is list and len({shown}) <= {SHORT} else {walk})"


def _not(writer: StatementWriter, statement: plan.Not) -> None:
    held = writer.flag()
    writer.line(f"{held} = False")
    with writer.once(statement.block, then=f"{held} = True"):
        writer.write_block(statement.block)
    writer.check(f"not {held}", held, statement)


def _with(writer: StatementWriter, statement: plan.With) -> None:
    held, saved, changed = writer.flag(), writer.flag(), local(statement.local)
    writer.line(f"{saved} = {changed}")
    path = "".join(f"{literal(part)}, " for part in statement.path)
    value = f"upsert({changed}, ({path}), {writer.show(statement.value)})" if path else writer.show(statement.value)
    writer.line(f"{changed} = {value}")
    writer.line("ev.enter(input, data)")
    writer.line(f"{held} = False")
    with writer.once(statement.block, then=f"{held} = True", closing=("ev.leave()", f"{changed} = {saved}")):
        writer.scopes += 1
        writer.write_block(statement.block)
        writer.scopes -= 1
    writer.check(held, f"not {held}", statement)


def _return(writer: StatementWriter, statement: plan.Return) -> None:
    for _ in range(writer.scopes):
        writer.line("ev.leave()")
    writer.line(f"return {local(statement.source)}")


def _return_value(writer: StatementWriter, statement: plan.ReturnValue) -> None:
    for _ in range(writer.scopes):
        writer.line("ev.leave()")
    writer.line(f"return {writer.show(statement.source)}")


def _add_result(writer: StatementWriter, statement: plan.AddResult) -> None:
    writer.line(f"results.append({local(statement.value)})")


_WRITERS: dict[type, Callable[[StatementWriter, Any], None]] = {
    plan.Add: building.add,
    plan.AddResult: _add_result,
    plan.Append: building.append,
    plan.Assign: _assign,
    plan.AssignOnce: _assign_once,
    plan.Blocks: _blocks,
    plan.Break: _break,
    plan.Call: _call,
    plan.CallDynamic: _call_dynamic,
    plan.Dispatch: _dispatch,
    plan.Dot: _dot,
    plan.Equal: _equal,
    plan.Fetch: _fetch,
    plan.Insert: building.insert,
    plan.IsDefined: _is_defined,
    plan.IsType: _is_type,
    plan.IsUndefined: _is_undefined,
    plan.Length: _length,
    plan.Make: building.make,
    plan.Member: _member,
    plan.Merge: building.merge,
    plan.Not: _not,
    plan.NotEqual: _not_equal,
    plan.Reset: _reset,
    plan.Return: _return,
    plan.ReturnValue: _return_value,
    plan.Scan: _scan,
    plan.With: _with,
}
