"""What is told of people: the day on which they were born. Any date may be that; a word beside it has to say so."""

from __future__ import annotations

import datetime as dt
import random

from authz_service.dlp.detectors.context import AFTER, BEFORE, Context, compiled, key_before
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.neighbours import touches_digit

_MONTH_NAMES = (
    ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
    ("july", "jul"), ("august", "aug"), ("september", "sept", "sep"), ("october", "oct"), ("november", "nov"),
    ("december", "dec"),
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names}
_NAME = rf"(?i:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_DAY = r"[0-3]?[0-9]"
_DATE = (
    r"\b(?:(?:19|20)[0-9]{2}(?:[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[01][0-9][0-3][0-9])"  # 1985-03-12, 19850312
    r"|[0-3]?[0-9][-/.] ?[0-3]?[0-9][-/.] ?(?:19|20)?[0-9]{2}"  # 12.03.1985, 3/12/85
    rf"|{_DAY}(?:st|nd|rd|th)?(?: of)?[ -]{_NAME}\.?,?[ -](?:19|20)?[0-9]{{2}}"  # 12 March 1985
    rf"|{_NAME}\.?[ -]{_DAY}(?:st|nd|rd|th)?,?[ -](?:19|20)[0-9]{{2}})"  # March 12th, 1985
)
_PARTS = compiled(rf"[0-9]+|{_NAME}")
_FIRST_YEAR = 1900

BIRTH_WORDS = Context((
    "dob", "d.o.b", "date of birth", "birth date", "birthdate", "birth day", "birthday", "born", "born on", "birth",
    "geboren", "geburtsdatum", "geb", "geburtstag", "n\u00e9 le", "n\u00e9e le", "date de naissance", "naissance",
    "fecha de nacimiento", "nacimiento", "nacido", "nacida", "data di nascita", "nato il", "nata il", "geboortedatum",
    "data de nascimento", "nascimento", "nascido", "nascida", "f\u00f6dd", "f\u00f6delsedatum", "f\u00f8dt",
    "f\u00f8dselsdato", "syntynyt", "syntym\u00e4aika", "urodzony", "urodzona", "data urodzenia", "narozen",
    "narozena", "datum narozen\u00ed", "sz\u00fcletett", "sz\u00fclet\u00e9si", "n\u0103scut", "do\u011fum tarihi",
    "\u0434\u0430\u0442\u0430 \u0440\u043e\u0436\u0434\u0435\u043d\u0438\u044f", "\u751f\u5e74\u6708\u65e5",
    "\u51fa\u751f\u65e5\u671f",
))  # fmt: skip
# Words of a key that has one of the words above, and yet tells of another day.
_OTHER_DAYS = Context(("updated", "created", "verified", "modified", "checked", "timestamp", "at", "expires"))


def _is_birth_date(text: bytes, start: int, end: int) -> float:
    """A day of the calendar, not before 1900, and not to come."""
    if touches_digit(text, start, end) or text[end : end + 1] in {b"-", b"/"}:
        return 0.0
    if not is_past_day(text[start:end]) or not BIRTH_WORDS.near(text, start, end):
        return 0.0
    key = key_before(text, start)
    return 0.0 if key is not None and _OTHER_DAYS.within(key) else 0.8


def is_past_day(written: bytes, today: dt.date | None = None) -> bool:
    """Whether a date is of the calendar, from 1900 to today; day and month may stand in either order.

    Without `today` the clock tells it. A reading for each candidate is the price of a bound that does not age.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    parts = [part.lower().decode() for part in _PARTS.findall(written)]
    if len(parts) == 1 and len(parts[0]) == len("19850312"):
        parts = [parts[0][:4], parts[0][4:6], parts[0][6:]]
    if len(parts) != 3:  # noqa: PLR2004
        return False
    named = [_MONTHS[part] for part in parts if part in _MONTHS]
    numbers = [int(part) for part in parts if part not in _MONTHS]
    if named:
        day, year = numbers
        return _is_day(_in_full(year, parts[2], today), named[0], day, today)
    if len(parts[0]) == 4:  # noqa: PLR2004
        return _is_day(numbers[0], numbers[1], numbers[2], today)
    first, second, year = numbers
    year = _in_full(year, parts[2], today)
    return _is_day(year, first, second, today) or _is_day(year, second, first, today)


def _in_full(year: int, written: str, today: dt.date) -> int:
    """Two digits are the last year that ends so."""
    if len(written) > 2:  # noqa: PLR2004
        return year
    return year + (2000 if year <= today.year % 100 else 1900)


def _is_day(year: int, month: int, day: int, today: dt.date) -> bool:
    try:
        return year >= _FIRST_YEAR and dt.date(year, month, day) <= today
    except ValueError:
        return False


def _example() -> bytes:
    return b"born %d-%02d-%02d" % (random.randrange(1940, 2005), random.randrange(1, 13), random.randrange(1, 29))  # noqa: S311


DETECTORS = (
    Detector(
        "date_of_birth", "date_of_birth", BIRTH_WORDS.hint, _DATE, _is_birth_date, before=BEFORE, after=AFTER,
        source="ISO 8601, and as people write dates", example=_example,
    ),
)  # fmt: skip
