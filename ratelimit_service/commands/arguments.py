"""What the commands' arguments have in common: the directory with the limits, a domain, entries."""

from __future__ import annotations

import argparse
import difflib
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeAlias

from ratelimit_service import config
from ratelimit_service.config import Source
from ratelimit_service.rules import Entry, Limits

OK, NO, FAULT = 0, 1, 2  # exit codes
MAX_TOP = 10_000  # rows of a list
MAX_KNOWN = 20  # names that a message lists

# Argparse gives this type no public name, and no parameters when it runs.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  (see above)


class UsageError(Exception):
    """The arguments cannot be used; the text is one line that says why."""


def add_command(commands: Commands, name: str, summary: str, details: str = "") -> argparse.ArgumentParser:
    """Declare a command, with the option that they all have. `details` are what --help tells at its end."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def add_source(parser: argparse.ArgumentParser, *, required: bool = True, what: str = "directory with limits") -> None:
    """Declare where the limits are."""
    parser.add_argument("--config-dir", required=required, default="", metavar="DIR", help=what)
    parser.add_argument(
        "--merge-domain-configs", action="store_true", help="files that name the same domain make it up together"
    )


def add_top(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare how long a list may get."""
    parser.add_argument("--top", type=_top, default=20, metavar="N", help=f"{what} (default: 20)")


def _top(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_TOP:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_TOP}, but is {text!r}")
    return int(text)


def load(arguments: argparse.Namespace) -> Limits:
    """Load the limits as the service does; raises `UsageError` or, with all that is wrong, `ConfigurationError`."""
    directory = Path(arguments.config_dir)
    if not arguments.config_dir:
        raise UsageError("--config-dir: must not be empty")
    try:
        is_directory = stat.S_ISDIR(directory.stat().st_mode)
    except OSError as error:
        raise UsageError(f"--config-dir: {directory} cannot be read: {error.strerror}") from error
    if not is_directory:
        raise UsageError(f"--config-dir: {directory} is not a directory")
    return config.load(Source(directory, merge_domains=arguments.merge_domain_configs))


def load_if_named(arguments: argparse.Namespace) -> Limits | None:
    """Load the limits where a directory is given; None where none is."""
    return load(arguments) if arguments.config_dir else None


def known_domain(domain: str, limits: Limits) -> str:
    """The domain, if it has limits; raises `UsageError` with those that have."""
    if domain not in limits.domains:
        raise UsageError(f"--domain: {unknown(domain, limits.domains, 'domain')}")
    return domain


def unknown(name: str, known: Collection[str], what: str) -> str:
    """Say that a name is not known, and which are or which one may be meant."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"there is no {what} {name!r}; did you mean {near[0]!r}?"
    listed = ", ".join(map(repr, sorted(known)[:MAX_KNOWN])) + (", ..." if len(known) > MAX_KNOWN else "")
    return f"there is no {what} {name!r}; there are: {listed}" if known else f"there is no {what} {name!r}, nor another"


def entry(text: str) -> Entry:
    """Read one entry, `key=value`; raises `UsageError`. The value may be empty, and may hold further `=`."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"{text!r} is not an entry: it must be key=value")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is not an entry: it must be UTF-8") from None
    return key, value


def entries(texts: Sequence[str]) -> tuple[Entry, ...]:
    """Read the entries of one descriptor."""
    return tuple(map(entry, texts))
