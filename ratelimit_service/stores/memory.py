"""Buckets in this process's memory: the twin of the real store, and what FAILURE_MODE=local counts with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ratelimit_service import fixed_window, sliding_window, token_bucket
from ratelimit_service.limits import FixedWindow, SlidingWindow, TokenBucket
from ratelimit_service.model import Charge, Count, Role
from ratelimit_service.sliding_window import Slices
from service_kit.valkey.errors import StoreUnavailableError

SWEEP_EVERY_US = 1_000_000  # a full store looks for expired buckets at most this often: that bounds its cost


@dataclass(frozen=True, slots=True)
class _Window:
    start: int  # seconds since the epoch
    counted: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class _Sliding:
    slices: Slices
    expires_us: int


@dataclass(frozen=True, slots=True)
class _Bucket:
    full_at: int  # ticks since the epoch
    ticks_per_us: int
    expires_us: int


_State = _Window | _Sliding | _Bucket


@dataclass(frozen=True, slots=True)
class _Trial:
    """A charge tried out: the bucket `spared` (without any charge of the request, given back hits apart) and `charged`.

    `mended` buckets are written even if nothing is charged: they were emptier than empty, or from the future.
    """

    charge: Charge
    spared: _State
    charged: _State
    over: bool
    mended: bool


class MemoryStore:
    """A counter store of at most `max_buckets` buckets (each takes a few hundred bytes).

    When it is full, expired buckets make room. If none has expired, a request that needs a new bucket gets
    `StoreUnavailableError`: to forget a live bucket would admit more than its limit. A call never waits for anything,
    which makes it atomic on one event loop.
    """

    def __init__(self, clock: Callable[[], int], max_buckets: int, *, sparing: bool = False) -> None:
        """`clock` tells microseconds since the epoch."""
        self._clock = clock
        self._max_buckets = max_buckets
        self._sparing = sparing
        self._states: dict[str, _State] = {}
        self._swept_us = -SWEEP_EVERY_US

    def __len__(self) -> int:
        return len(self._states)

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """Charge all buckets of one request."""
        now_us = self._clock()
        trials: list[_Trial] = []
        tried: dict[str, _Trial] = {}
        for charge in charges:
            trial = _try(charge, tried.get(charge.key), self._states.get(charge.key), now_us)
            tried[charge.key] = trial
            trials.append(trial)
        denied = denied or _denies(trials)
        counts, written = [], {}
        for trial in trials:
            key, window = trial.charge.key, isinstance(trial.charged, _Window)
            if not denied or (window and not self._sparing):
                counts.append(_count(trial, trial.charged, now_us))
                kept = trial.charged
            else:
                kept = tried[key].spared
                counts.append(_count(trial, trial.charged if window and trial.over else kept, now_us))
            if trial.mended or trial.charge.hits < 0 or (trial.charge.hits and (window or not denied)):
                written[key] = kept
        self._make_room(sum(key not in self._states for key in written), now_us)
        self._states.update(written)
        return counts

    def _make_room(self, new: int, now_us: int) -> None:
        if len(self._states) + new <= self._max_buckets:
            return
        if not self._swept_us <= now_us < self._swept_us + SWEEP_EVERY_US:
            self._swept_us = now_us
            self._states = {key: state for key, state in self._states.items() if state.expires_us > now_us}
        if len(self._states) + new > self._max_buckets:
            raise StoreUnavailableError(f"all {self._max_buckets} buckets in memory are in use")


def _denies(trials: Sequence[_Trial]) -> bool:
    quotas = [trial.over for trial in trials if trial.charge.role is Role.QUOTA]
    binding = any(trial.over for trial in trials if trial.charge.role is Role.BINDING)
    return binding or (bool(quotas) and all(quotas))


def _try(charge: Charge, earlier: _Trial | None, stored: _State | None, now_us: int) -> _Trial:
    limit = charge.limit
    if isinstance(limit, FixedWindow):
        return _try_window(charge, limit, earlier, stored, now_us)
    if isinstance(limit, SlidingWindow):
        return _try_sliding(charge, limit, earlier, stored, now_us)
    return _try_bucket(charge, limit, earlier, stored, now_us)


def _try_window(
    charge: Charge, limit: FixedWindow, earlier: _Trial | None, stored: _State | None, now_us: int
) -> _Trial:
    start = fixed_window.start(limit, now_us)
    if isinstance(stored, _Window) and stored.start == start + limit.seconds:
        start = stored.start  # The clock was set back over the window's start: it goes on, and admits nothing twice.

    def window(counted: int) -> _Window:
        return _Window(start, counted, expires_us=(start + limit.seconds) * 1_000_000)

    def counted(state: _State | None) -> int:
        return state.counted if isinstance(state, _Window) and state.start == start else 0

    spared = counted(earlier.spared if earlier else stored)
    before = counted(earlier.charged if earlier else stored)
    after = fixed_window.add(before, charge.hits)
    over = fixed_window.over(limit, after, charge.hits)
    # Spared are the windows that are not over: what exceeds a limit counts in any case, and so does what is given back.
    kept = spared if charge.hits > 0 and not over else fixed_window.add(spared, charge.hits)
    return _Trial(charge, window(kept), window(after), over, mended=False)


def _try_sliding(
    charge: Charge, limit: SlidingWindow, earlier: _Trial | None, stored: _State | None, now_us: int
) -> _Trial:
    def slices(state: _State | None) -> Slices:
        return sliding_window.settle(limit, now_us, state.slices) if isinstance(state, _Sliding) else ()

    def sliding(slices: Slices) -> _Sliding:
        return _Sliding(slices, expires_us=sliding_window.ends_us(limit, slices))

    before = slices(earlier.charged if earlier else stored)
    spared = slices(earlier.spared if earlier else stored)
    over = charge.hits >= 0 and not sliding_window.fits(limit, before, charge.hits)
    after = before
    if charge.hits < 0:
        after, spared = (sliding_window.take_away(each, -charge.hits) for each in (before, spared))
    elif charge.hits and not over:
        after = sliding_window.add(limit, now_us, before, charge.hits)
    future = isinstance(stored, _Sliding) and bool(stored.slices) and stored.slices[-1][0] > now_us // limit.slice_us
    return _Trial(charge, sliding(spared), sliding(after), over, mended=future)


def _try_bucket(
    charge: Charge, limit: TokenBucket, earlier: _Trial | None, stored: _State | None, now_us: int
) -> _Trial:
    def settled(state: _State | None) -> int:
        return token_bucket.settle(limit, now_us, _full_at(state, limit))

    def bucket(full_at: int) -> _Bucket:
        return _Bucket(full_at, limit.ticks_per_us, expires_us=-(-full_at // limit.ticks_per_us))

    before = settled(earlier.charged if earlier else stored)
    spared = settled(earlier.spared if earlier else stored)
    ticks = token_bucket.cost(limit, charge.hits)
    over = charge.hits >= 0 and not token_bucket.fits(limit, now_us, before, ticks)
    after = before
    if charge.hits < 0:
        after, spared = (token_bucket.give_back(limit, now_us, each, ticks) for each in (before, spared))
    elif charge.hits and not over:
        after = before + ticks
    in_debt = settled(stored) < _full_at(stored, limit)
    return _Trial(charge, bucket(spared), bucket(after), over, mended=in_debt)


def _full_at(stored: _State | None, limit: TokenBucket) -> int:
    """The stored instant in the limit's ticks. A changed rate has others: then round up, which never admits more."""
    if not isinstance(stored, _Bucket):
        return 0
    if stored.ticks_per_us == limit.ticks_per_us:
        return stored.full_at
    return -(-stored.full_at // stored.ticks_per_us) * limit.ticks_per_us


def _count(trial: _Trial, state: _State, now_us: int) -> Count:
    limit, hits, over = trial.charge.limit, trial.charge.hits, trial.over
    if isinstance(limit, FixedWindow):
        return fixed_window.count(limit, now_us, state.counted if isinstance(state, _Window) else 0, over=over)
    if isinstance(limit, SlidingWindow):
        slices = state.slices if isinstance(state, _Sliding) else ()
        wait = sliding_window.wait_us(limit, now_us, slices, hits, over=over)
        return sliding_window.count(limit, sliding_window.used(slices), wait, over=over)
    full_at = state.full_at if isinstance(state, _Bucket) else 0
    return token_bucket.count(limit, now_us, full_at, token_bucket.cost(limit, hits), over=over)
