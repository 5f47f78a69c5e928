"""Watches files and loads anew when they change. A value that cannot be loaded never replaces the one in use."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from service_kit.faults import ConfigurationError, Fault

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int, int], ...]
MAX_FILES = 10_000
Value = TypeVar("Value")


def signature(paths: Iterable[Path]) -> Signature:
    """What tells one state of the files from another: each file below `paths` with inode, size and time of change.

    Links are followed, those to folders once each, so that the symlink swap of a Kubernetes ConfigMap (`..data`) shows
    as new inodes.
    """
    states = []
    for path in sorted(_files(paths)):
        try:
            state = path.stat()
        except OSError:
            continue  # Gone between listing and looking: the next look sees it.
        states.append((str(path), state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(states)


def link_signature(paths: Iterable[Path]) -> Signature:
    """What tells where the paths lead, when they or what they lie in are links; what lies there may change unnoticed.

    For directories that are replaced as a whole by turning a link, and may be written to before it turns.
    """
    states = []
    for path in paths:
        real = Path(os.path.realpath(path))
        try:
            state = real.stat()
        except OSError:
            continue
        states.append((str(real), state.st_ino, 0, 0))
    return tuple(states)


def _files(paths: Iterable[Path]) -> set[Path]:
    found: set[Path] = set()
    for path in paths:
        for file in _below(path) if path.is_dir() else [path]:
            if len(found) >= MAX_FILES:
                return found
            found.add(file)
    return found


def _below(path: Path) -> Iterator[Path]:
    # os.walk passes over a folder that goes while it is read, as a ConfigMap's old one does; Path.rglob raises.
    seen: set[str] = set()
    for folder, folders, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders[:] = []
            continue
        seen.add(real)
        folders.sort()  # by which of its names a folder is walked must not change without a reason
        yield from (Path(folder, name) for name in (*folders, *files))


class Reloader(Generic[Value]):
    """Polls `paths` each `seconds`; on a change calls `load`, and on success hands its value to `use`."""

    def __init__(  # noqa: PLR0913  (what to watch and whom to tell, wired once in __main__)
        self,
        name: str,
        paths: Iterable[Path],
        load: Callable[[], Awaitable[Value]],
        use: Callable[[Value], None],
        refused: Callable[[ConfigurationError], None],
        *,
        seconds: float = 1.0,
        seen: Signature | None = None,
        sign: Callable[[Iterable[Path]], Signature] = signature,
    ) -> None:
        """`refused` hears of a new state that cannot be used; the value in use stays.

        `sign` tells one state of the paths from another. `seen` is the state that the value in use was loaded from,
        where that is not the present one.
        """
        self._name = name
        self._paths = tuple(paths)
        self._load = load
        self._use = use
        self._refused = refused
        self._seconds = seconds
        self._sign = sign
        self._seen = sign(self._paths) if seen is None else seen

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.look()

    async def look(self) -> bool:
        """Look once; say whether a new value came into use."""
        now = await asyncio.to_thread(self._sign, self._paths)
        if now == self._seen:
            return False
        self._seen = now
        try:
            value = await self._load()
        except ConfigurationError as error:
            self._refuse(error)
            return False
        except Exception as error:  # noqa: BLE001  (a fault of a loader must not end a service that works)
            self._refuse(ConfigurationError([Fault(self._name, 0, f"cannot be loaded: {type(error).__name__}")]))
            return False
        self._use(value)
        log.info("%s reloaded", self._name)
        return True

    def _refuse(self, error: ConfigurationError) -> None:
        faults = [str(fault) for fault in error.faults]
        log.error("%s not reloaded, the last good one stays", self._name, extra={"fields": {"faults": faults}})
        self._refused(error)
