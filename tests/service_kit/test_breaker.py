from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service_kit.breaker import FAILURES, PROBE_SECONDS, Breaker


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


def test_a_new_breaker_is_closed() -> None:
    assert not Breaker().open


def test_failures_in_a_row_open_it_and_the_last_says_so() -> None:
    breaker = Breaker()
    assert [breaker.failed() for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]
    assert breaker.open


def test_an_answer_begins_the_row_anew() -> None:
    breaker = Breaker()
    for _ in range(3):
        assert not any(breaker.failed() for _ in range(FAILURES - 1))
        assert not breaker.succeeded()
    assert not breaker.open


def test_further_failures_open_it_no_further() -> None:
    breaker = opened()
    assert not any(breaker.failed() for _ in range(3 * FAILURES))
    assert breaker.open


def test_an_answer_closes_it_and_says_so_once() -> None:
    breaker = opened()
    assert breaker.succeeded()
    assert not breaker.open
    assert not breaker.succeeded()


def test_it_opens_again_after_as_many_failures_as_at_first() -> None:
    breaker = opened()
    breaker.succeeded()
    assert [breaker.failed() for _ in range(FAILURES)] == [False] * (FAILURES - 1) + [True]


def test_probes_come_at_longer_and_longer_intervals_up_to_the_longest() -> None:
    breaker = opened()
    assert [breaker.next_probe() for _ in range(5)] == [0.05, 0.1, 0.2, 0.4, 0.5]
    assert {breaker.next_probe() for _ in range(1_000)} == {PROBE_SECONDS[1]}


def test_probes_begin_with_the_shortest_interval_each_time_that_it_opens() -> None:
    breaker = opened()
    for _ in range(4):
        breaker.next_probe()
    breaker.succeeded()
    for _ in range(FAILURES):
        breaker.failed()
    assert breaker.next_probe() == PROBE_SECONDS[0]


@given(st.lists(st.booleans(), max_size=60))
def test_it_is_open_from_the_first_row_of_failures_to_the_next_answer(answers: list[bool]) -> None:
    breaker = Breaker()
    row, is_open = 0, False
    for answer in answers:
        before = is_open
        row = 0 if answer else row + 1
        is_open = not answer and (is_open or row >= FAILURES)
        changed = breaker.succeeded() if answer else breaker.failed()
        assert (breaker.open, changed) == (is_open, before != is_open)
