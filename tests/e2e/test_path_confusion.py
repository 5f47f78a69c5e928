"""No spelling of a protected path, and no request hidden in another, reaches the upstream without the role.

All of them are sent through the real Envoy at once, byte for byte; the upstream tells what it got. It is judged by a
reader that takes a path for whatever any server could (tests/lenient_paths.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from tests import lenient_paths
from tests.e2e import hidden_requests, raw_requests
from tests.e2e.hidden_requests import BARRED, BARRED_STREAMS, HIDDEN, HIDDEN_STREAMS, SECRET, Headers, filled
from tests.e2e.spellings import TARGETS, TIDIED
from tests.e2e.stack import Gateway

pytestmark = pytest.mark.e2e

# What refuses a request; 426 and 501 are Envoy's to versions and codings that it does not speak.
REFUSALS = {400, 401, 403, 404, 426, 431, 501}
ANSWERS = {100, 200} | REFUSALS
SENDERS = 32
TOKENS = 10  # in turn: a user may not send as many requests at once as there are here
CONTROL = "control"
METHOD_HEADERS = {"x-http-method", "x-http-method-override", "x-method-override"}


@dataclass(frozen=True)
class Outcome:
    """What came of one spelling: the statuses answered, none where the connection was closed, and what went through."""

    statuses: Sequence[int]
    reached: Sequence[dict[str, Any]]


def _sent_by_name(gateway: Gateway) -> Mapping[str, Callable[[str, str], list[int]]]:
    """Every spelling, ready to be sent with a token and a marker."""

    def message(text: bytes, token: str, marker: str) -> list[int]:
        return raw_requests.http1(gateway, filled(text, token, marker))

    def stream(headers: Headers, token: str, marker: str) -> list[int]:
        return raw_requests.http2(gateway, [(name, filled(value, token, marker)) for name, value in headers])

    sent: dict[str, Callable[[str, str], list[int]]] = {}
    for name, target in {**TARGETS, **TIDIED}.items():
        sent[f"HTTP/1.1 target: {name}"] = partial(message, hidden_requests.get(target))
        sent[f"HTTP/2 target: {name}"] = partial(stream, hidden_requests.stream(target))
    sent |= {f"HTTP/1.1: {name}": partial(message, text) for name, text in {**BARRED, **HIDDEN}.items()}
    sent |= {f"HTTP/2: {name}": partial(stream, given) for name, given in {**BARRED_STREAMS, **HIDDEN_STREAMS}.items()}
    return sent


MUST_BE_REFUSED = [
    *(f"{protocol} target: {name}" for name in TARGETS for protocol in ("HTTP/1.1", "HTTP/2")),
    *(f"HTTP/1.1: {name}" for name in BARRED),
    *(f"HTTP/2: {name}" for name in BARRED_STREAMS),
]
MAY_BE_ANSWERED = [
    *(f"{protocol} target: {name}" for name in TIDIED for protocol in ("HTTP/1.1", "HTTP/2")),
    *(f"HTTP/1.1: {name}" for name in HIDDEN),
    *(f"HTTP/2: {name}" for name in HIDDEN_STREAMS),
]


def _received(gateway: Gateway, after: int) -> list[dict[str, Any]]:
    """What reached the upstream since the request of that number."""
    found: list[dict[str, Any]] = httpx.get(f"{gateway.state.upstream_url}/__received?after={after}").json()
    assert [seen["number"] for seen in found] == list(range(after + 1, after + 1 + len(found))), "some are forgotten"
    return found


def _marked(seen: Mapping[str, Any], marker: str) -> bool:
    return any(name.lower() == "x-marker" and value == marker for name, value in seen["headers"])


def _gives_away(seen: Mapping[str, Any]) -> bool:
    """Whether some server would take this for a request of the protected area, or for another method's, by a header."""
    texts = [seen["path"], *(value for _, value in seen["headers"])]
    names = {name.lower() for name, _ in seen["headers"]}
    return bool(names & METHOD_HEADERS) or any(map(lenient_paths.is_protected, texts))


@dataclass(frozen=True)
class Campaign:
    """All spellings sent: the outcome of each by its name, and the upstream's last request before them."""

    outcomes: Mapping[str, Outcome]
    before: int


# One test for each table, not for each name: tests of a module are spread over processes, and each sends all of it.
@pytest.fixture(scope="module")
def campaign(gateway: Gateway) -> Campaign:
    before = max((seen["number"] for seen in gateway.received()), default=0)
    by_name = _sent_by_name(gateway)
    tokens = [gateway.token(roles=("engineer",)) for _ in range(TOKENS)]
    markers = {name: uuid.uuid4().hex for name in by_name}
    with ThreadPoolExecutor(SENDERS) as senders:
        answers = {
            name: senders.submit(send, tokens[number % TOKENS], markers[name])
            for number, (name, send) in enumerate(by_name.items())
        }
        statuses = {name: answer.result() for name, answer in answers.items()}
    reached = _received(gateway, before)
    outcomes = {
        name: Outcome(statuses[name], [seen for seen in reached if _marked(seen, marker)])
        for name, marker in markers.items()
    }
    return Campaign(outcomes, before)


def test_every_spelling_of_the_protected_path_is_refused_and_none_reaches_the_upstream(campaign: Campaign) -> None:
    outcomes = {name: campaign.outcomes[name] for name in MUST_BE_REFUSED}
    _none({name: outcome for name, outcome in outcomes.items() if outcome.reached})
    _none({name: outcome for name, outcome in outcomes.items() if not set(outcome.statuses) <= REFUSALS})


def test_what_hides_in_an_allowed_request_stays_hidden_from_the_upstream(campaign: Campaign) -> None:
    outcomes = {name: campaign.outcomes[name] for name in MAY_BE_ANSWERED}
    _none({name: outcome for name, outcome in outcomes.items() if any(map(_gives_away, outcome.reached))})
    _none({name: outcome for name, outcome in outcomes.items() if not outcome.statuses})
    _none({name: outcome for name, outcome in outcomes.items() if not set(outcome.statuses) <= ANSWERS})


def _none(found: Mapping[str, Outcome]) -> None:
    """Assert that there are none, and name them all where there are: pytest would cut the list short."""
    lines = [f"{name}: {given.statuses} {[seen['path'] for seen in given.reached]}" for name, given in found.items()]
    assert not found, "\n".join(lines)


def test_the_role_opens_the_protected_path_and_the_upstream_tells(gateway: Gateway, campaign: Campaign) -> None:
    """Else nothing here could fail. Both protocols, by the same means as the spellings."""
    token = gateway.token(roles=("hr_access",))
    assert raw_requests.http1(gateway, filled(hidden_requests.get(SECRET), token, CONTROL)) == [200]
    headers = [(name, filled(value, token, CONTROL)) for name, value in hidden_requests.stream(SECRET)]
    assert raw_requests.http2(gateway, headers) == [200]
    seen = [seen for seen in _received(gateway, campaign.before) if _marked(seen, CONTROL)]
    assert [found["path"] for found in seen] == ["/hr/salaries"] * 2
    assert all(map(_gives_away, seen))


def test_a_public_path_is_reached_without_the_role(gateway: Gateway, campaign: Campaign) -> None:
    marker = uuid.uuid4().hex
    token = gateway.token(roles=("engineer",))
    assert raw_requests.http1(gateway, filled(hidden_requests.get(b"/public"), token, marker)) == [200]
    headers = [(name, filled(value, token, marker)) for name, value in hidden_requests.stream(b"/public")]
    assert raw_requests.http2(gateway, headers) == [200]
    seen = [seen for seen in _received(gateway, campaign.before) if _marked(seen, marker)]
    assert [found["path"] for found in seen] == ["/public"] * 2
    assert not any(map(_gives_away, seen))


def test_nothing_protected_came_through_late_or_without_its_marker(gateway: Gateway, campaign: Campaign) -> None:
    """A request that was cut out of another need not bear what the other bore."""
    seen = [seen for seen in _received(gateway, campaign.before) if not _marked(seen, CONTROL)]
    assert seen
    assert not [found["path"] for found in seen if _gives_away(found)]
