"""Signs that a body carries content of the caller's own files. They are told to the policy, not redacted."""

from __future__ import annotations

import re2

_SIGNS = (
    r"file:///?[A-Za-z0-9._~/-]",  # file URLs
    r"(?:^|[^A-Za-z0-9._-])(?:/home|/Users|/root|/etc|/var|/tmp|/mnt|/Volumes)/[A-Za-z0-9._-]",  # POSIX paths
    r"(?:^|[^A-Za-z0-9])~/[A-Za-z0-9._-]",  # a home folder
    r"(?:^|[^A-Za-z0-9])[A-Za-z]:(?:\\{1,2}|/)[A-Za-z0-9._ -]+(?:\\|/)",  # Windows paths, JSON-escaped or not
    r"(?:^|[^\\])\\{2,4}[A-Za-z0-9._-]+\\{1,2}[A-Za-z0-9.$_-]+",  # \\server\share
    r"(?i)content-disposition:[^\r\n]*filename\*?=",  # a file in a multipart body
    r"data:[a-z]+/[A-Za-z0-9.+-]+;base64,",  # a file as a data URL
)


def _compile() -> re2.Set:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    signs = re2.Set.SearchSet(options)
    for sign in _SIGNS:
        signs.Add(sign.encode())
    signs.Compile()
    return signs


_ANY = _compile()


def carries_local_file(body: bytes) -> bool:
    """Whether any sign of local file content stands in a body."""
    return bool(body) and bool(_ANY.Match(body))
