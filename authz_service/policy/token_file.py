"""A bearer token in a file, as it is sent to those that policies and their logs come from and go to.

It is read anew each time, so that it may be replaced while the service runs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from service_kit.faults import ConfigurationError, Fault

MAX_TOKEN_BYTES = 16 * 1024
_TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1


def read_token(file: Path) -> str:
    """Read the token; white space around it is none of it.

    Raises:
        ConfigurationError: the file cannot be read, or holds no token. The fault does not show what it holds.
    """
    try:
        with file.open("rb") as opened:
            token = opened.read(MAX_TOKEN_BYTES + 1).strip()
    except OSError as error:
        raise ConfigurationError([Fault(str(file), 0, f"cannot be read: {error.strerror}")]) from error
    if len(token) > MAX_TOKEN_BYTES or not _TOKEN.fullmatch(token):
        raise ConfigurationError([Fault(str(file), 0, f"holds no bearer token of at most {MAX_TOKEN_BYTES} bytes")])
    return token.decode()
