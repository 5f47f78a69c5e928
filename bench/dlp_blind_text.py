"""What the blind corpus writes its texts of: marks around values, names in the styles of programs, words, stamps, ids.

A value is written between marks while its text grows around it; `unmark` takes them out and says where it stood. Other
values in a text (the address of whoever writes an e-mail) carry the name of their entity, so that finding them is no
false alarm.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

OPEN, SHUT = "\ue000", "\ue001"
_ALSO, _NAMED = "\ue002", "\ue003"

GIVEN = (
    "Anneke", "Bartosz", "Chiara", "Dmitri", "Eilidh", "Farid", "Guadalupe", "Henrik", "Ileana", "Jaswinder", "Katalin",
    "Lorcan", "Mireille", "Nkechi", "Oyvind", "Paloma", "Quentin", "Rosalind", "Sanjay", "Tove", "Ulrike", "Yusuf",
)  # fmt: skip
FAMILY = (
    "Abernathy", "Bjornstad", "Castellanos", "Dupont", "Eriksson", "Fitzgerald", "Grabowski", "Hollander", "Ibarra",
    "Jankowski", "Kowalczyk", "Lindqvist", "Marchetti", "Novotny", "Okonkwo", "Petrescu", "Rasmussen", "Schwarzenberg",
    "Tanaka", "Vandenberghe", "Whitcombe", "Zimmermann",
)  # fmt: skip
WORDS = (
    "amber", "anchor", "basin", "beacon", "canyon", "cedar", "cobalt", "copper", "delta", "ember", "falcon", "fjord",
    "garnet", "glacier", "harbor", "hazel", "indigo", "juniper", "kestrel", "lagoon", "maple", "meadow", "nimbus",
    "onyx", "orchard", "pebble", "quarry", "raven", "saffron", "tundra", "umber", "velvet", "willow", "zephyr",
)  # fmt: skip
SERVICES = ("billing", "checkout", "crm-sync", "edge", "etl", "ledger", "mailer", "onboarding", "payments", "webhooks")
_EPOCH = datetime(2023, 1, 1, tzinfo=UTC)


def mark(value: str) -> str:
    """The value between marks, unless its maker has said already which part of it counts."""
    return value if OPEN in value else f"{OPEN}{value}{SHUT}"


def also(entity: str, value: str) -> str:
    """Another value that stands in the text and is none of its own."""
    return f"{_ALSO}{entity}{_NAMED}{value}{SHUT}"


def unmark(marked: str) -> tuple[str, int, int, tuple[tuple[str, int, int], ...]]:
    """The text without marks; where its value begins and ends, if there is one; the others in it."""
    text, start, end = "", 0, 0
    others: list[tuple[str, int, int]] = []
    entity, begun = "", 0
    rest = marked
    while rest:
        at = min((place for place in map(rest.find, (OPEN, SHUT, _ALSO)) if place >= 0), default=len(rest))
        text, sign, rest = text + rest[:at], rest[at : at + 1], rest[at + 1 :]
        if sign == SHUT and entity:
            others.append((entity, begun, len(text)))
            entity = ""
        elif sign == SHUT:
            end = len(text)
        elif sign == _ALSO:
            entity, _, rest = rest.partition(_NAMED)
            begun = len(text)
        elif sign == OPEN:
            start = len(text)
    return text, start, end, tuple(others)


def styled(rng: random.Random, phrase: str) -> str:
    """A name as programs write it."""
    words = phrase.lower().split()
    camel = words[0] + "".join(word.capitalize() for word in words[1:])
    return rng.choice(("_".join(words), "_".join(words), camel, camel, camel[0].upper() + camel[1:], "-".join(words)))


def screaming(phrase: str) -> str:
    """A name as environments write it."""
    return phrase.upper().replace(" ", "_")


def label(rng: random.Random, phrase: str) -> str:
    """A name as people write it on forms."""
    return rng.choice((phrase, phrase.capitalize(), phrase.title(), phrase.upper()))


def person(rng: random.Random) -> str:
    """A name of nobody."""
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"


def moment(rng: random.Random) -> datetime:
    """A time within the last years."""
    return _EPOCH + timedelta(seconds=rng.randrange(1_260 * 86_400), milliseconds=rng.randrange(1_000))


def stamp(rng: random.Random) -> str:
    """A time as logs and databases write it."""
    time = moment(rng)
    return rng.choice((
        time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        time.isoformat(timespec="milliseconds"),
        time.strftime("%Y-%m-%d %H:%M:%S,") + f"{time.microsecond // 1_000:03d}",
        time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        str(int(time.timestamp())),
        str(int(time.timestamp() * 1_000)),
    ))  # fmt: skip


def some_uuid(rng: random.Random) -> str:
    """A UUID of version 4."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def hexadecimal(rng: random.Random, count: int) -> str:
    """So many hexadecimal digits."""
    return f"{rng.getrandbits(4 * count):0{count}x}"


def filler(rng: random.Random) -> tuple[str, str]:
    """A field that says nothing of anyone: its name and its value."""
    pick = rng.randrange(10)
    names = ("id", "createdAt", "requestId", "status", "region", "version", "amount", "etag", "ref", "note")
    values = (
        str(rng.randrange(1, 10 ** rng.randrange(2, 8))),
        stamp(rng),
        some_uuid(rng),
        rng.choice(("active", "pending", "closed", "verified", "retry")),
        rng.choice(("eu-central-1", "us-east-1", "westeurope", "asia-northeast1")),
        f"{rng.randrange(20)}.{rng.randrange(40)}.{rng.randrange(90)}",
        f"{rng.randrange(5_000)}.{rng.randrange(100):02d}",
        hexadecimal(rng, rng.choice((16, 32, 40))),
        f"{rng.choice(('INV', 'ORD', 'TCK', 'PO'))}-{rng.randrange(10_000, 10_000_000)}",
        " ".join(rng.choices(WORDS, k=rng.randrange(2, 6))),
    )
    return names[pick], values[pick]
