"""A folder → the bundle's files. I/O, bounded as an archive is.

Folders whose names begin with a dot are left out: version control and Kubernetes keep theirs there. A link is followed
to a file inside the bundle's folder, which is how Kubernetes mounts a ConfigMap; one that leads elsewhere is a fault.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from authz_service.policy.bundles.files import MAX_FILE_BYTES, Gathering


def read_folder(folder: Path) -> Mapping[str, bytes]:
    """Read every file below a folder.

    Raises:
        ConfigurationError: something cannot be read, is out of bounds, or is no file of this folder.
    """
    gathering = Gathering(str(folder))

    def unreadable(error: OSError) -> None:
        gathering.fault(f"cannot be read: {error.strerror}")

    root = folder.resolve()
    for place, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(place, name).is_symlink():
                gathering.refuse(_name(root, place, name), "is a link to a folder")
        for name in sorted(names):
            if not name.startswith(".."):  # links of Kubernetes' own; the files that they lead to are linked below too
                _gather(root, Path(place, name), _name(root, place, name), gathering)
    return gathering.finish()


def _name(root: Path, place: str, name: str) -> str:
    return Path(place, name).relative_to(root).as_posix()


def _gather(root: Path, file: Path, name: str, gathering: Gathering) -> None:
    try:
        if not file.resolve(strict=True).is_relative_to(root):
            gathering.refuse(name, "is a link that leads out of the bundle's folder")
            return
        # Without waiting: opening a pipe would wait for somebody to write to it.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as opened:  # noqa: PTH123  (of a descriptor, not of a path)
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = opened.read(MAX_FILE_BYTES + 1) if is_file else b""
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        reason = error.strerror if isinstance(error, OSError) else "a link that leads to itself"
        gathering.refuse(name, f"cannot be read: {reason}")
        return
    if is_file:
        gathering.add(name, content)
    else:
        gathering.refuse(name, "is a device, a pipe or a socket")
