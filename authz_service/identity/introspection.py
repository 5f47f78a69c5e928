"""What is asked of an issuer about an opaque token, and what its answer says (RFC 7662). Pure.

An answer is read strictly: its `active` must be true or false and nothing that looks like them, no name may stand in it
twice, and what RFC 7662 gives a type must have it. What does not hold is the issuer's fault, not the caller's, and is
never taken for a yes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote_plus, urlencode

from authz_service.identity.jws import JwsError, read_object

MAX_ANSWER_BYTES = 16 * 1024  # as much as a token may have that brings its claims itself
MAX_MEMBERS = 200
MAX_TEXT = 1024  # characters of a member that RFC 7662 names; scopes may have MAX_SCOPE
MAX_SCOPE = 8 * 1024
MAX_AUDIENCES = 100

_TIMES: Final = ("exp", "nbf", "iat")
_TEXTS: Final = ("iss", "sub", "client_id", "username", "scope", "jti", "token_type")

Authentication = Literal["basic", "post", "bearer"]
AUTHENTICATIONS: Final[tuple[Authentication, ...]] = ("basic", "post", "bearer")


class AnswerError(ValueError):
    """The answer is none that can be relied on. The text names the fault and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """An HTTP request about one token: its headers and its form."""

    headers: Mapping[str, str]
    body: bytes


def question(token: str, authentication: Authentication, client_id: str, secret: str) -> Question:
    """Ask about a token, in the name of a client (RFC 7662 section 2.1).

    `basic` and `post` are the ways of RFC 6749 section 2.3.1; for `bearer` the secret is an access token of our own,
    and there is no client id.
    """
    form = {"token": token, "token_type_hint": "access_token"}
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if authentication == "basic":
        # Each is encoded as in a form before they are joined: a colon in either would move the boundary.
        joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(joined.encode()).decode()}"
    elif authentication == "post":
        form |= {"client_id": client_id, "client_secret": secret}
    else:
        headers["Authorization"] = f"Bearer {secret}"
    return Question(headers, urlencode(form).encode())


def read_answer(body: bytes) -> Mapping[str, Any] | None:
    """Return the claims of a token that is active, None for one that is not.

    All that the answer says is kept, since roles and the like have names of the issuer's own; only what it gives as
    null, which says nothing, and `active` are left out.

    Raises:
        AnswerError: it does not say whether the token is active, or cannot be relied on.
    """
    if len(body) > MAX_ANSWER_BYTES:
        raise AnswerError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    try:
        answer = read_object(body)
    except JwsError as error:
        raise AnswerError(f"the answer {error}") from error
    active = answer.get("active")
    if active is False:
        return None
    if active is not True:
        raise AnswerError("the answer does not say whether the token is active")
    if len(answer) > MAX_MEMBERS:
        raise AnswerError(f"the answer has more than {MAX_MEMBERS} members")
    claims = {name: value for name, value in answer.items() if name != "active" and value is not None}
    for name in _TIMES:
        if name in claims and not _is_time(claims[name]):
            raise AnswerError(f"the answer's {name} is not a time")
    for name in _TEXTS:
        if name in claims and not _is_text(claims[name], MAX_SCOPE if name == "scope" else MAX_TEXT):
            raise AnswerError(f"the answer's {name} is not a text of usual length")
    if "aud" in claims and not _is_audience(claims["aud"]):
        raise AnswerError("the answer's aud is neither a text nor a list of texts")
    if "cnf" in claims and not isinstance(claims["cnf"], dict):
        raise AnswerError("the answer's cnf is not an object")
    return claims


def _is_time(value: object) -> bool:
    """Whether a value is a NumericDate (RFC 7519 section 2)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_text(value: object, most: int = MAX_TEXT) -> bool:
    return isinstance(value, str) and len(value) <= most


def _is_audience(value: object) -> bool:
    named = value if isinstance(value, list) else [value]
    return len(named) <= MAX_AUDIENCES and all(map(_is_text, named))
