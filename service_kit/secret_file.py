"""A secret in a file that may be replaced while we run, as a Kubernetes Secret is. It is never shown."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from service_kit.reload import Signature, signature

log = logging.getLogger(__name__)

MAX_SECRET_BYTES = 16 * 1024
PRINTABLE = re.compile(rb"[\x20-\x7e]+")  # a client's secret: VSCHAR, RFC 6749 appendix A
BEARER_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")  # b64token, RFC 6750 section 2.1


class SecretFileError(Exception):
    """The file holds no usable secret. The text names the file and why, and nothing of what is in it."""


class SecretFile:
    """Reads a secret anew when its file has changed. One that cannot be used leaves the last good one."""

    def __init__(self, path: Path, form: re.Pattern[bytes]) -> None:
        """`form` is what a secret looks like; line breaks at its end do not count."""
        self._path = path
        self._form = form
        self._seen: Signature | None = None
        self._secret: str | None = None

    def read(self) -> str:
        """Return the secret; reads a file, so not for an event loop.

        Raises:
            SecretFileError: there has never been one that could be used.
        """
        now = signature([self._path])
        if now != self._seen or self._secret is None:
            try:
                self._secret = self._load()
            except SecretFileError as error:
                if self._secret is None:
                    raise
                log.error("secret not reloaded, the last good one stays", extra={"fields": {"problem": str(error)}})
            self._seen = now
        return self._secret

    def _load(self) -> str:
        try:
            with self._path.open("rb") as file:
                secret = file.read(MAX_SECRET_BYTES + 1).rstrip(b"\r\n")
        except OSError as error:
            raise SecretFileError(f"{self._path} cannot be read: {error.strerror}") from error
        if len(secret) > MAX_SECRET_BYTES or not self._form.fullmatch(secret):
            raise SecretFileError(f"{self._path} holds no secret that can be sent, of at most {MAX_SECRET_BYTES} bytes")
        return secret.decode("ascii")
