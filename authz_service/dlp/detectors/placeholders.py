"""What stands where a secret will stand: variables, notes, asterisks. Pure."""

from __future__ import annotations

import re2

# Variables of shells, templates, YAML tools and programs; notes in brackets.
_VARIABLE = rb"^(?:\$\{|\$\(|\$[A-Z_]+$|\$[a-z_]+$|\{|<|%\(|%[A-Z_]+%$|%[a-z]$|#\{|@\{|@[A-Za-z.]+\(|\[|:)"
_NOTE = (
    rb"(?i)(?:^|[^a-z])(?:your|my|the|some|enter|insert|replace|put|use|see|set)[^a-z]?[a-z_-]{0,16}"
    rb"(?:secret|token|pass|key|cred|here|value)|change[ _-]?(?:me|it)|place[ _-]?holder|redacted|example|dummy|"
    rb"not[ _-]?(?:a[ _-]?)?(?:real|secret)|xxxx|\*{4}|^\.\.\.|\.\.\.$|todo|fixme|12345678|abcdefgh"
)
_WORDS = frozenset(
    b"password passwd passphrase pass pwd pw passw0rd secret token key credentials none null nil true false undefined "
    b"empty hidden masked value string text pass123 userpass user username mypassword my-password my_password "
    b"yourpassword xxx foo bar p x dbpass dbpassword db_password test password_here sample".split()
)
_MASKS = b"*x.-_X?#\xe2\x80\xa2"  # the last is the bullet of password fields, in UTF-8


def _compile() -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(_VARIABLE + rb"|" + _NOTE, options)


_ANY = _compile()


def is_placeholder(value: bytes) -> bool:
    """Whether a value stands for a secret and is none."""
    return value.lower() in _WORDS or not value.strip(_MASKS) or _ANY.search(value) is not None
