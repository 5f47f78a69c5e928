"""Two changes of headers together are one."""

from __future__ import annotations

from authz_service.exchange.events import Change


def test_what_is_set_last_holds() -> None:
    both = Change([("a", "1"), ("b", "1")]) + Change([("a", "2"), ("a", "3")])
    assert both == Change([("b", "1"), ("a", "2"), ("a", "3")])


def test_what_is_removed_is_not_set_but_what_is_set_later_is() -> None:
    assert Change([("a", "1")]) + Change((), ["a"]) == Change((), ["a"])
    assert Change((), ["a"]) + Change([("a", "1")]) == Change([("a", "1")])
