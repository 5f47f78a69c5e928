"""Telephone numbers and dates of birth, as the world writes them."""

from __future__ import annotations

import random
from datetime import date, timedelta

from bench.dlp_random import some

_DIGITS = "0123456789"

# A country's code, and how numbers are written behind it: x any digit, y any but 0 and 1, the rest as it stands.
_ABROAD = (
    ("49", "30 xxxxxxx"), ("49", "171 yxxxxxx"), ("49", "(0)89 yxxxxxx"), ("49", "1520 yxxxxxx"), ("49", "40/yxxxxxx"),
    ("44", "20 7xxx xxxx"), ("44", "7911 xxxxxx"), ("44", "(0)161 yxx xxxx"), ("44", "7700 900xxx"),
    ("33", "6 yx xx xx xx"), ("33", "1.4x.xx.xx.xx"), ("33", "(0)6 yx xx xx xx"), ("34", "612 xxx xxx"),
    ("39", "02 yxxxxxxx"),
    ("39", "347 xxxxxxx"), ("31", "6 yxxxxxxx"), ("31", "20 yxx xxxx"), ("32", "470 xx xx xx"), ("41", "44 yxx xx xx"),
    ("43", "1 yxxxxxx"), ("48", "601 xxx xxx"), ("46", "70-yxx xx xx"), ("47", "9xx xx xxx"), ("45", "yx xx xx xx"),
    ("358", "40 yxxxxxx"), ("353", "87 yxx xxxx"), ("351", "912 xxx xxx"), ("420", "602 xxx xxx"),
    ("36", "30 yxx xxxx"),
    ("91", "98xxx xxxxx"), ("91", "98xxxxxxxx"), ("86", "138 xxxx xxxx"), ("81", "90-yxxx-xxxx"),
    ("82", "10-yxxx-xxxx"),
    ("61", "412 xxx xxx"), ("61", "(0)2 9xxx xxxx"), ("55", "11 9yxxx-xxxx"), ("52", "55 yxxx xxxx"),
    ("27", "82 yxx xxxx"),
    ("234", "803 xxx xxxx"), ("971", "50 yxx xxxx"), ("972", "54-yxx-xxxx"), ("65", "9xxx xxxx"),
    ("7", "912 xxx-xx-xx"),
    ("90", "532 xxx xx xx"), ("1", "212 yxx xxxx"), ("1", "(415) yxx-xxxx"), ("1", "647-yxx-xxxx"), ("1", "305yxxxxxx"),
)  # fmt: skip
_AT_HOME = (
    "030 yxxxxxx", "0171/yxxxxxx", "0171-yxxxxxx", "01512 yxxxxxx", "020 7xxx xxxx", "07911 xxxxxx", "06 yx xx xx xx",
    "01.4x.xx.xx.xx", "06yxxxxxxx", "612 xxx xxx", "02 yxxxxxxx", "09yx xxx xxx", "0412 xxx xxx", "090-yxxx-xxxx",
    "(0221) yxxxxxx", "070-yxx xx xx", "(11) 9yxxx-xxxx",
)  # fmt: skip
_AMERICAN = (
    "({}) {}-{}",
    "({}){}-{}",
    "{}-{}-{}",
    "{}.{}.{}",
    "{} {} {}",
    "1-{}-{}-{}",
    "+1 {}-{}-{}",
    "{}{}{}",
    "1 ({}) {}-{}",
)


def _filled(rng: random.Random, form: str) -> str:
    return "".join(
        some(rng, _DIGITS, 1) if sign == "x" else some(rng, _DIGITS[2:], 1) if sign == "y" else sign for sign in form
    )


def phone_number(rng: random.Random) -> str:
    """Numbers with a country's code, American ones, and those that are dialled at home."""
    pick = rng.random()
    if pick < 0.5:
        code, form = rng.choice(_ABROAD)
        before, behind = rng.choice(("+", "+", "+", "+", "00", "+")), _filled(rng, form)
        if rng.random() < 0.3:
            return before + code + "".join(filter(str.isdigit, behind.replace("(0)", "")))
        by = rng.choice((" ", " ", " ", "-", "")) if not behind.startswith("(") else " "
        extension = rng.choice(("", "", "", "", "", "", f" ext. {rng.randrange(100, 999)}"))
        return f"{before}{code}{by}{behind}{extension}"
    if pick < 0.82:
        while (area := _filled(rng, "yxx"))[1:] == "11":
            pass
        while (exchange := _filled(rng, "yxx"))[1:] == "11":
            pass
        extension = rng.choice(("", "", "", "", "", f" x{rng.randrange(10, 9_999)}"))
        return rng.choice(_AMERICAN).format(area, exchange, some(rng, _DIGITS, 4)) + extension
    return _filled(rng, rng.choice(_AT_HOME))


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def date_of_birth(rng: random.Random) -> str:
    """A day of the last century or of this one, in many orders."""
    day = date(1931, 1, 1) + timedelta(days=rng.randrange(28_500))
    month = _MONTHS[day.month - 1]
    forms = (
        day.isoformat(), day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}", f"{day:%d-%m-%Y}",
        f"{day.day}.{day.month}.{day.year}", f"{day.month}/{day.day}/{day.year}", f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}", f"{month[:3]} {day.day}, {day.year}", f"{day:%d}-{month[:3]}-{day.year}",
        f"{day:%Y/%m/%d}", f"{day:%Y%m%d}", f"{day:%d.%m.%y}", f"{day:%m/%d/%y}", f"{day.isoformat()}T00:00:00Z",
        f"{day.day}th of {month} {day.year}" if 3 < day.day < 21 else f"{day.day} {month[:3]} {day.year}",
    )  # fmt: skip
    return rng.choice(forms)
