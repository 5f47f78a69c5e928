"""Patterns are read as RE2 reads them. What is made of them is in test_width.py and test_beginnings.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.pattern_syntax import Meaning, meaning_of, tokens


def _repeated(part: str, least: int, most: int | None) -> str:
    return f"{part}<{least},{'' if most is None else most}>"


def _joined(parts: Sequence[str]) -> str:
    return "".join(parts)


def _either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


WRITTEN = Meaning(lambda unit: f"[{unit}]", lambda place: f"@{place}", _joined, _either, _repeated)


@given(st.text(alphabet=r"ab0,^$.*+?{}()[]|\QEdpx:-é", max_size=30))
def test_tokens_are_all_of_the_pattern(pattern: str) -> None:
    assert "".join([token[0] for token in tokens(pattern)]) == pattern.encode().decode("latin-1")


@pytest.mark.parametrize(
    ("pattern", "read"),
    [
        ("", ""),
        ("ab", "[a][b]"),
        ("a|b|", "([a]|[b]|)"),
        ("a(?:b|c)d", "[a]([b]|[c])[d]"),
        ("(?i:a)(?P<n>b)(?s)c", "[a][b][c]"),
        ("a*b+?c?", "[a]<0,>[b]<1,>[c]<0,1>"),
        ("a{2}b{2,}c{2,3}", "[a]<2,2>[b]<2,>[c]<2,3>"),
        ("a{,2}", "[a][{][,][2][}]"),
        ("(ab){2}", "[a][b]<2,2>"),
        (r"^\ba$", r"@^@\b[a]@$"),
        (r"[^]a-z]\d\pL\x{41}", r"[[^]a-z]][\d][\pL][\x{41}]"),
        (r"\Qa.\E.", r"[\x61][\x2e][.]"),
        ("é", "[Ã][©]"),
        ("a)b", "[a][b]"),
    ],
)
def test_a_pattern_means_what_its_parts_do(pattern: str, read: str) -> None:
    assert meaning_of(pattern, WRITTEN) == read


def test_a_pattern_may_be_nested_deeply() -> None:
    assert meaning_of("(" * 50_000 + "a" + ")" * 50_000, WRITTEN) == "[a]"
