"""RE2's own search over bytes. What `re2` makes around each match costs as much as the match does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import re2

Spans = Sequence[tuple[int, int]]  # of the match and of each group; (-1, -1) for what is not there
Search = Callable[[Any, bytes, int, int], Spans]
"""Takes where a match may begin, the text, and the places between which it is sought."""

ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED  # noqa: SLF001  (re2 has no public search without a match object)
AT_THE_BEGINNING = re2._re2.RE2.Anchor.ANCHOR_START  # noqa: SLF001  (re2 has no public search without a match object)
_MEMORY = 8 << 20  # bytes that a pattern's automata may grow to before they start anew: RE2's own


def search_of(pattern: str | bytes, *, groups: bool = False, memory: int = _MEMORY) -> Search:
    """Compile a pattern for bytes, valid UTF-8 or not; raises `re2.error`. Without `groups` none are told, or kept."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = not groups
    options.max_mem = memory
    written = pattern if isinstance(pattern, bytes) else pattern.encode()
    search: Search = re2.compile(written, options)._regexp.Match  # noqa: SLF001  (what its public methods call, record 0009)
    return search
