"""The script by itself, called as no store would call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from ratelimit_service.stores.script import SCRIPT
from tests.valkey_servers import Server

HEAD = ["0", "1", "0", "0"]  # linger, and a request of one charge
WINDOW = ["w", "1", "0", "60", "5"]
SLIDING = ["s", "1", "0", "20000", "50", "5"]
BUCKET = ["b", "1", "0", "7", "142857", "1", "285714", "2"]


@pytest.fixture(scope="module")
def client() -> Iterator[redis.Redis]:
    with Server() as server, server.client() as client:
        yield client


@pytest.mark.parametrize(
    ("keys", "arguments", "text"),
    [
        ([], ["0"], "at least one bucket"),
        (["a"], [], "ARGV.1. must be a whole number"),
        (["a"], ["0"], "more KEYS than charges"),
        (["a"], ["0", "1", "0"], "sparing must be a whole number"),
        (["a"], HEAD, "begins with w, s or b"),
        (["a"], [*HEAD, "x"], "begins with w, s or b"),
        (["a"], [*HEAD, *WINDOW[:4]], "limit must be a whole number"),
        (["a"], [*HEAD, *WINDOW, "1"], "denied must be a whole number"),
        (["a"], [*HEAD, *WINDOW, "1", "0", "0", *WINDOW], "each charge has a key"),
        (["a", "b"], [*HEAD, *WINDOW], "more KEYS than charges"),
        (["a"], [*HEAD, *BUCKET[:-1]], "capacity_ticks must be a whole number"),
        (["a", "a"], ["0", "2", "0", "0", *WINDOW, *BUCKET], "one key is of one kind"),
        (["a", "a"], ["0", "2", "0", "0", *SLIDING, *WINDOW], "one key is of one kind"),
        (["a"], [*HEAD, "w", "1.5", "0", "60", "5"], "hits must be a whole number"),
        (["a"], [*HEAD, "w", "9007199254740992", "0", "60", "5"], "hits must be a whole number below"),
        (["a"], [*HEAD, "w", "1", "-1", "60", "5"], "role must not be below 0"),
        (["a"], [*HEAD, "w", "1", "0", "0", "5"], "seconds must be above 0"),
        (["a"], [*HEAD, "s", "1", "0", "0", "50", "5"], "slice_us and slices must be above 0"),
        (["a"], [*HEAD, "b", "1", "0", "7", "142857", "7", "285714", "2"], "ticks must be fewer"),
        (["b", "a"], ["0", "2", "0", "0", *WINDOW, *WINDOW[:4]], "limit must be a whole number"),
    ],
)
def test_a_call_of_the_wrong_shape_is_refused_and_writes_nothing(
    client: redis.Redis, keys: list[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(redis.ResponseError, match=text):
        client.eval(SCRIPT, len(keys), *keys, *arguments)
    assert client.dbsize() == 0


@pytest.mark.parametrize("junk", ["", "x", "1", "1 2 3 4 5", "-1 -1", "99999999999999999999 1", "nan nan nan"])
@pytest.mark.parametrize("charge", [WINDOW, SLIDING, BUCKET])
def test_what_is_stored_under_a_key_by_somebody_else_counts_or_not_but_breaks_nothing(
    client: redis.Redis, charge: list[str], junk: str
) -> None:
    client.set("junk", junk)
    reply = client.eval(SCRIPT, 1, "junk", *HEAD, *charge)
    client.delete("junk")
    assert isinstance(reply, list)
    assert len(reply) == 1 + 3
    assert all(isinstance(number, int) for number in reply)
