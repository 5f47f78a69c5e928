"""Fetches bundles over HTTP: bounded in size and time, redirects refused, and only what has changed since last time.

The bundle is taken as it was packed: what a server says of its encoding is passed over, so that nothing unpacks here.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from authz_service.policy.bundles.archive import MAX_ARCHIVE_BYTES
from authz_service.policy.token_file import read_token
from service_kit.faults import ConfigurationError, Fault
from service_kit.http_client import Bounds, HttpError, ask_once

FETCH_SECONDS = 60.0  # for the whole exchange
MAX_URL = 2_048  # characters
MAX_ETAG = 1_024  # characters; a longer one is not sent back, and the bundle comes anew each time
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')  # RFC 9110 section 8.8.3


def url_problem(url: str) -> str | None:
    """Say why bundles must not be fetched from a URL; None where they may be."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return f"is not a URL of at most {MAX_URL} ASCII characters"
    if parts.scheme not in {"https", "http"} or not host:
        return "must be an https URL"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "must be https: over plain http anyone on the way could put in policies of his own"
    if parts.username is not None or parts.password is not None:
        return "must not hold a password: put a token into a file"
    if parts.fragment:
        return "must not have a fragment"
    return None


class BundleEndpoint:
    """A bundle behind a URL; one fetch at a time."""

    def __init__(self, url: str, token_file: Path | None = None) -> None:
        """`token_file` holds a bearer token, and is read anew at each fetch, so that it may be replaced.

        Raises:
            ConfigurationError: `url` is none that bundles may be fetched from.
        """
        problem = url_problem(url)
        if problem:
            raise ConfigurationError([Fault("bundle URL", 0, problem)])  # without its text, which may hold a password
        self._url = url
        self._source = url.partition("?")[0]  # a query may be a credential, and faults are logged
        self._token_file = token_file
        self._etag: str | None = None

    async def fetch(self) -> bytes | None:
        """Return the bundle, or None where it is the one that was returned last.

        Raises:
            ConfigurationError: it cannot be fetched. A redirect is refused, as it could lead off the host that was
                configured as trusted.
        """
        headers = {}
        if self._etag is not None:
            headers["If-None-Match"] = self._etag
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {await asyncio.to_thread(read_token, self._token_file)}"
        accepted = (HTTPStatus.OK,) if self._etag is None else (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)
        bounds = Bounds(FETCH_SECONDS, MAX_ARCHIVE_BYTES)
        try:
            answer = await ask_once("GET", self._url, bounds, headers=headers, accepted=accepted, packed=True)
        except HttpError as error:
            raise self._error(str(error)) from error
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        etag = answer.headers.get("etag", "")
        self._etag = etag if len(etag) <= MAX_ETAG and _ETAG.fullmatch(etag) else None
        return answer.body

    def forget(self) -> None:
        """Ask for the whole bundle next time, whether or not it has changed."""
        self._etag = None

    def _error(self, text: str) -> ConfigurationError:
        return ConfigurationError([Fault(self._source, 0, text)])
