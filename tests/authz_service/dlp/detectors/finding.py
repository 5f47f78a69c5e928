"""What the tests of detectors share: a scanner that answers with text, and the texts that values stand in."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from authz_service.dlp.detectors import Detector
from authz_service.dlp.scan import Scanner


class Finder:
    """Finds with some detectors, or with those of one entity."""

    def __init__(self, detectors: Iterable[Detector], entity: str = "") -> None:
        self._scanner = Scanner([detector for detector in detectors if entity in {"", detector.entity}])

    def __call__(self, text: str) -> list[str]:
        """Return what is found, as it stands there."""
        data = text.encode()
        return [data[span.start : span.end].decode() for span in self._scanner.scan(data)]


_WORDS = st.lists(
    st.sampled_from(
        ["please", "the", "value", "is", "Grüße", "über", "and", "then", "{", "}", "\n", "—", "ok?", "日本"]
    ),
    max_size=40,
).map(" ".join)
_BEFORE = st.sampled_from([" ", '"', "'", "(", "<", "\n", "\t", ":", "=", ",", ";", "|", "[", "“", ">", "/"])
_AFTER = st.sampled_from([" ", '"', "'", ")", "<", "\n", "\t", ",", ";", "|", "]", ". Then", "!", "?", "”", ">", ". "])

# What stands before and behind a value. No word of it tells anything.
SURROUNDINGS = st.tuples(
    st.one_of(st.just(""), st.tuples(_WORDS, _BEFORE).map("".join)),
    st.one_of(st.just(""), st.tuples(_AFTER, _WORDS).map("".join)),
)


def digits(count: int) -> st.SearchStrategy[str]:
    """So many digits."""
    return st.text("0123456789", min_size=count, max_size=count)


def luhn_digit(number: str) -> str:
    """The digit that Luhn's rule appends, by the letter of the rule: double every second one from the right."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += sum(int(part) for part in str(value))
    return str((10 - total % 10) % 10)


def another_digit(digit: str) -> st.SearchStrategy[str]:
    """Any digit but this."""
    return st.sampled_from([other for other in "0123456789" if other != digit])
