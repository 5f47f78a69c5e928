"""A query → what was found in it, and what it becomes. Pure.

The query is read as an application reads it: split at `&`, names and values percent-decoded, each value searched
together with its name. Envoy's query mutations set a name to one value, so a repeated name of which a value is changed
comes out once, its values joined by commas; a name that is changed itself is removed and comes back as it is to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from authz_service.dlp.actions import Direction
from authz_service.dlp.encoded import suspects
from authz_service.dlp.fields import Blocks, Field, field_of, split
from authz_service.dlp.reading import scan_text
from authz_service.dlp.scan import Scanner
from authz_service.dlp.treatments import Exchange
from authz_service.model import Location


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One `name=value` as it is written, and what was found in either."""

    name: str
    value: str
    of_name: Field | None
    of_value: Field | None


@dataclass(frozen=True, slots=True)
class QueryChanges:
    """`set` gives a name one value, `remove` takes a name out, both as they are written."""

    set: Sequence[tuple[str, str]] = ()
    remove: Sequence[str] = ()


NO_QUERY_CHANGES: Final = QueryChanges()


@dataclass(frozen=True, slots=True)
class QueryFields:
    """All parameters of a query in which something was found."""

    parameters: Sequence[_Parameter]

    def note(self, exchange: Exchange) -> None:
        """Note down what was found, in the exchange."""
        seen: set[str] = set()  # a name that comes again is told once
        for parameter in self.parameters:
            if parameter.of_name is not None and parameter.name not in seen:
                parameter.of_name.noted(exchange, Direction.REQUEST)
            seen.add(parameter.name)
            if parameter.of_value is not None:
                parameter.of_value.noted(exchange, Direction.REQUEST)

    def treated(self, exchange: Exchange, blocks: Blocks) -> QueryChanges:
        """Return what to change, and note in `blocks` what does not pass.

        Two names can become one when they are changed: then neither's values may push out the other's.
        """
        kept: dict[str, list[str]] = {}
        changed: dict[str, None] = {}
        removed: dict[str, None] = {}
        renamed: dict[str, str] = {}  # a name that comes again is treated alike, and told once
        for parameter in self.parameters:
            if parameter.name not in renamed:
                renamed[parameter.name] = _treated(parameter.name, parameter.of_name, exchange, blocks)
            name = renamed[parameter.name]
            value = _treated(parameter.value, parameter.of_value, exchange, blocks)
            kept.setdefault(name, []).append(value)
            if name != parameter.name:
                removed[parameter.name] = None
            if (name, value) != (parameter.name, parameter.value):
                changed[name] = None
        return QueryChanges([(name, "%2C".join(kept[name])) for name in kept if name in changed], list(removed))


def scan_query(query: str, scanner: Scanner) -> QueryFields | None:
    """Search a query; None where nothing is found. Names stay as they are written: so does Envoy compare them."""
    if not query or not suspects(form_decoded(query), scanner):
        return None
    parameters = [_scan(piece, scanner) for piece in query.split("&")]
    return QueryFields(parameters) if any(each.of_name or each.of_value for each in parameters) else None


def form_decoded(text: str) -> bytes:
    """Return a form-encoded text as it reads."""
    return unquote_to_bytes(text.replace("+", " "))


def _scan(piece: str, scanner: Scanner) -> _Parameter:
    name, _, value = piece.partition("=")
    written, text = form_decoded(name), form_decoded(value)
    of_name, of_value = split(scan_text(written + b"=" + text, scanner), len(written), len(written) + 1)
    of_the_name = field_of(written, of_name, Location.QUERY, lambda _: "", scanner)
    shown = "" if of_the_name else name
    return _Parameter(name, value, of_the_name, field_of(text, of_value, Location.QUERY, lambda _: shown, scanner))


def _treated(written: str, field: Field | None, exchange: Exchange, blocks: Blocks) -> str:
    """Return a name or a value as it goes on: percent-encoded anew if it is changed."""
    if field is None:
        return written
    treated = field.treated(exchange, Direction.REQUEST, blocks)
    return written if treated == field.text else quote(treated, safe="")
