r"""A body that begins unlike what its type says: read as what it begins like, and then as what it is said to be.

Whoever reads JSON or XML often does not ask for the type: Go and PHP decode what came, a browser's `json()` too, and
`curl -d` says that it sends a form. In a form a plus sign is a space, so that a key with one in it would be two words;
in JSON `\/` is a slash. Others go by the type. So such a body is redacted twice, in both readings, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.charsets import Redactor
from authz_service.dlp.deltas import DeltaPaths
from authz_service.dlp.event_body import EventRedactor
from authz_service.dlp.found import Found, Treatment
from authz_service.dlp.scan import Scanner
from authz_service.dlp.tokens import ENTITY as OWN_TOKEN
from authz_service.dlp.views.opening import Numbers, has_events, open_view, unlike
from authz_service.dlp.views.piece import Syntax, View
from authz_service.dlp.views.sniffed import SniffedView, beginning


def open_redactor(  # noqa: PLR0913  (a body by its type, and whatever that may need)
    content_type: str,
    scanner: Scanner,
    treat: Treatment,
    *,
    numbers: Numbers = "block",
    beside: Callable[[], Redactor] | None = None,
    joined: DeltaPaths | None = None,
) -> Redactor:
    """Return what redacts a body of this type, in all the ways in which it may be read.

    `beside` is for `open_view`; `joined` are the places in events whose values are parts of one text.

    Raises:
        CodingError: how it is read is not certain.
    """
    view, signs = open_view(content_type, numbers=numbers, beside=beside), unlike(content_type)
    if joined is None or not has_events(content_type):
        return open_both(view, signs, scanner, treat, numbers=numbers)
    return _both(EventRedactor(view, scanner, treat, joined), signs, _as_it_begins(scanner, treat, numbers))


def open_both(view: View, signs: bytes, scanner: Scanner, treat: Treatment, *, numbers: Numbers) -> Redactor:
    """Return what redacts a body as a view reads it and, where it begins with one of `signs`, as JSON or XML too."""
    return _both(BodyRedactor(view, scanner, treat), signs, _as_it_begins(scanner, treat, numbers))


def _both(declared: Redactor, signs: bytes, open_first: Callable[[], Redactor]) -> Redactor:
    return TwoReadings(declared, signs, open_first) if signs else declared


def _as_it_begins(scanner: Scanner, treat: Treatment, numbers: Numbers) -> Callable[[], Redactor]:
    syntax = Syntax.JSON_NUMBER if numbers == "string" else Syntax.FIXED
    return lambda: BodyRedactor(SniffedView(numbers=syntax), scanner, _without_tokens(treat))


class TwoReadings:
    """Redacts a body as declared, and before that by what `open_first` opens if it begins with one of `signs`.

    Each holds back what it holds back, and how the body is cut makes no difference.
    """

    def __init__(self, declared: Redactor, signs: bytes, open_first: Callable[[], Redactor]) -> None:
        self._declared = declared
        self._signs = signs
        self._open_first = open_first
        self._first: Redactor | None = None
        self._begun = False
        self._held = b""  # that may be the beginning of a mark

    def feed(self, data: bytes) -> bytes:
        """Read on; raises what the redactors raise."""
        if self._begun:
            return self._through(data)
        data, self._held = self._held + data, b""
        place, sign = beginning(data)
        out = self._declared.feed(data[:place])
        if sign is None:
            self._held = data[place:]
            return out
        self._begun = True
        self._first = self._open_first() if sign in self._signs else None
        return out + self._through(data[place:])

    def finish(self) -> bytes:
        """Read the rest; raises as `feed` does."""
        out = self._through(self._first.finish() if self._first is not None else self._held, first=False)
        return out + self._declared.finish()

    def _through(self, data: bytes, *, first: bool = True) -> bytes:
        if first and self._first is not None:
            data = self._first.feed(data)
        return self._declared.feed(data)


def _without_tokens(treat: Treatment) -> Treatment:
    """Leave tokens to the second reading, to which what one stands for would be new."""

    def treated(found: Found) -> bytes | None:
        return None if found.detector.entity == OWN_TOKEN else treat(found)

    return treated
