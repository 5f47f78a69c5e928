"""Buckets in this process's memory: the twin of the real store, and what FAILURE_MODE=local counts with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ratelimit_service import fixed_window, token_bucket
from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, FixedWindow, TokenBucket

SWEEP_EVERY_US = 1_000_000  # a full store looks for expired buckets at most this often: that bounds its cost


@dataclass(frozen=True, slots=True)
class _Window:
    start: int  # seconds since the epoch
    counted: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class _Bucket:
    full_at: int  # ticks since the epoch
    ticks_per_us: int
    expires_us: int


_State = _Window | _Bucket


@dataclass(frozen=True, slots=True)
class _Trial:
    """A charge tried out: the bucket without any charge of the request, the bucket with it, and whether it is over.

    `mended` buckets were emptier than empty, and are written even if nothing is charged, so that they can refill.
    """

    charge: Charge
    before: _State
    after: _State
    over: bool
    mended: bool = False

    def state(self, *, denied: bool) -> _State:
        """The bucket after the request as a whole."""
        return self.before if denied else self.after


class MemoryStore:
    """A counter store of at most `max_buckets` buckets (each takes a few hundred bytes).

    When it is full, expired buckets make room. If none has expired, a request that needs a new bucket gets
    `StoreUnavailableError`: to forget a live bucket would admit more than its limit. A call never waits for anything,
    which makes it atomic on one event loop.
    """

    def __init__(self, clock: Callable[[], int], max_buckets: int) -> None:
        """`clock` tells microseconds since the epoch."""
        self._clock = clock
        self._max_buckets = max_buckets
        self._states: dict[str, _State] = {}
        self._swept_us = -SWEEP_EVERY_US

    def __len__(self) -> int:
        return len(self._states)

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        """Charge all buckets of one request."""
        now_us = self._clock()
        trials: list[_Trial] = []
        tried: dict[str, _Trial] = {}
        for charge in charges:
            trial = self._try(charge, tried.get(charge.key), now_us)
            tried[charge.key] = trial
            trials.append(trial)
        denied = any(trial.over for trial in trials)
        written = {
            trial.charge.key: trial.state(denied=denied)
            for trial in trials
            if trial.mended or (trial.charge.hits and (isinstance(trial.after, _Window) or not denied))
        }
        self._make_room(len(written.keys() - self._states.keys()), now_us)
        self._states.update(written)
        return [_count(trial, now_us, denied=denied) for trial in trials]

    def _try(self, charge: Charge, earlier: _Trial | None, now_us: int) -> _Trial:
        limit = charge.limit
        stored = earlier.after if earlier else self._states.get(charge.key)
        if isinstance(limit, FixedWindow):
            start = fixed_window.start(limit.unit, now_us)
            counted = stored.counted if isinstance(stored, _Window) and stored.start == start else 0
            window = _Window(
                start, fixed_window.add(counted, charge.hits), expires_us=(start + limit.unit.value) * 1_000_000
            )
            return _Trial(charge, window, window, fixed_window.count(limit, now_us, window.counted).over)
        stored_full_at = _full_at(stored, limit)
        full_at = token_bucket.settle(limit, now_us, stored_full_at)
        ticks = token_bucket.cost(limit, charge.hits)
        over = not token_bucket.fits(limit, now_us, full_at, ticks)
        settled = _bucket(limit, full_at)
        taken = settled if over or not charge.hits else _bucket(limit, full_at + ticks)
        return _Trial(charge, earlier.before if earlier else settled, taken, over, mended=full_at < stored_full_at)

    def _make_room(self, new: int, now_us: int) -> None:
        if len(self._states) + new <= self._max_buckets:
            return
        if not self._swept_us <= now_us < self._swept_us + SWEEP_EVERY_US:
            self._swept_us = now_us
            self._states = {key: state for key, state in self._states.items() if state.expires_us > now_us}
        if len(self._states) + new > self._max_buckets:
            raise StoreUnavailableError(f"all {self._max_buckets} buckets in memory are in use")


def _bucket(limit: TokenBucket, full_at: int) -> _Bucket:
    return _Bucket(full_at, limit.ticks_per_us, expires_us=-(-full_at // limit.ticks_per_us))


def _full_at(stored: _State | None, limit: TokenBucket) -> int:
    """The stored instant in the limit's ticks. A changed rate has others: then round up, which never admits more."""
    if not isinstance(stored, _Bucket):
        return 0
    if stored.ticks_per_us == limit.ticks_per_us:
        return stored.full_at
    return -(-stored.full_at // stored.ticks_per_us) * limit.ticks_per_us


def _count(trial: _Trial, now_us: int, *, denied: bool) -> Count:
    limit = trial.charge.limit
    state = trial.state(denied=denied)
    if isinstance(limit, FixedWindow):
        return fixed_window.count(limit, now_us, state.counted if isinstance(state, _Window) else 0)
    full_at = state.full_at if isinstance(state, _Bucket) else 0
    return token_bucket.count(limit, now_us, full_at, token_bucket.cost(limit, trial.charge.hits), over=trial.over)
