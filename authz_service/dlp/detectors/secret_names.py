"""Which names stand before secrets: `api_key`, `clientSecret`, `DB_PASSWORD`, and not `token_type`. Pure.

A name is read as its words, however they are joined. What follows the word that says secret may take it back
(`password_hash`, `secret_id`), and so may what stands before it (`next_page_token`).
"""

from __future__ import annotations

import re

from authz_service.dlp.detectors.context import BEFORE, Context, key_before

# The words of names. A secret's ends with one of the first, or is one of the second, or is a key of the third's kind.
_ENDINGS = tuple(
    (
        b"secret secrets token tokens password passwords passwd passphrase passcode pwd credential credentials apikey "
        b"apikeys accesskey secretkey privatekey authkey signingkey masterkey"
    ).split()
)
_WORDS = frozenset({b"auth", b"authorization", b"bearer", b"pass", b"creds", b"cred", b"apitoken"})
_NEVER_AN_ID = (b"secret", b"password", b"passwd", b"passphrase", b"pwd", b"apikey")
_NEVER_AN_ID_S_KEY = frozenset({b"api", b"secret", b"encryption", b"signing", b"private", b"master"})
_NEAR = 4  # words before it that may take back what a name says; those of a sentence further off do not
JOINTS = 3  # signs and digits that may stand between the two words of a key
_KINDS_OF_KEY = frozenset(
    (
        b"api access secret private auth encryption decryption signing master account license session service shared "
        b"client app application consumer subscription storage webhook functions admin root deploy hmac aes jwt ssh"
    ).split()
)
# What stands behind such a word when the value is not the secret itself, and what stands before it.
_OF_IT = frozenset(
    (
        b"type id ids name names url uri path file filename dir hash hashed sha md digest checksum fingerprint "
        b"thumbprint commit etag revision version expires expiry expiration ttl length size count limit status method "
        b"mode algorithm alg public endpoint provider issuer audience scope scopes class ref arn prefix hint format "
        b"field header label column integrity trace model package module import error handler manager policy rotation "
        b"date time at created updated index uuid guid image build"
    ).split()
)
_ANOTHERS = frozenset(
    (
        b"page next prev previous continuation cursor sync public pagination commit sha digest etag checksum design "
        b"lexer syntax hash"
    ).split()
)

# Of every such name: what a cheap search finds of it.
HINT = (
    r"(?:secret|token|pass|pwd|cred|auth|bearer|"
    rf"(?:{'|'.join(sorted(kind.decode() for kind in _KINDS_OF_KEY))})[^A-Za-z]{{0,{JOINTS}}}key)"
)


# Python's engine goes over each byte twice at most, and is five times as quick as RE2 with many short words.
_WORD = re.compile(rb"[A-Z]*[a-z]+|[A-Z]+")


def names_a_secret(name: bytes) -> bool:
    """Whether what a name stands before is a secret."""
    words: list[bytes] = []
    last, ended = -1, 0
    for match in _WORD.finditer(name):
        word, before = match[0].lower(), words[-1] if words else b""
        if name[match.end() : match.end() + 1] == b"@":  # a host follows, as in a URL with a login
            return False
        is_key = word in {b"key", b"keys"} and before in _KINDS_OF_KEY and match.start() - ended <= JOINTS
        if is_key or word.endswith(_ENDINGS) or word in _WORDS:
            last = len(words)
        words.append(word)
        ended = match.end()
    near = words[max(0, last - _NEAR) : max(0, last)]
    return last >= 0 and _OF_IT.isdisjoint(words[last + 1 :]) and _ANOTHERS.isdisjoint(near)


def names_more_than_an_id(name: bytes) -> bool:
    """Whether what a name stands before is a secret even if it looks like an id: tokens and sessions may be ids."""
    words = [match[0].lower() for match in _WORD.finditer(name)]
    return names_a_secret(name) and (
        words[-1].endswith(_NEVER_AN_ID) or (words[-1] == b"key" and words[-2] in _NEVER_AN_ID_S_KEY)
    )


def is_named(words: Context, text: bytes, start: int, end: int) -> bool:
    """Whether a service's word tells of a value: near it, or around a key that says secret: `twilio: {authToken: …`."""
    if words.near(text, start, end):
        return True
    key = key_before(text, start)
    return key is not None and names_a_secret(key) and words.within(since_redaction(text, start))


def since_redaction(text: bytes, start: int) -> bytes:
    """The window before a value, behind any bracket that closes in it: a redaction's own words tell of no neighbour."""
    return text[max(0, start - BEFORE) : start].rpartition(b"]")[2]
