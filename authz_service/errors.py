"""Why a request is not let through, split by whose fault it is. Each has a stable code and a text.

A `Refusal` is the caller's fault, ends in a 4xx and shows him its text. An `Outage` is ours and ends in a 503, so that
an operator can tell one from the other. Neither text holds a token, a value of the request or a parser's message.
"""

from __future__ import annotations

import enum


class Refusal(Exception):  # noqa: N818  (the domain's word)
    """The request is refused because of what it is."""

    status = 403

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class RequestRefused(Refusal):
    """The request itself is malformed: 400."""

    status = 400


class McpRefused(RequestRefused):
    """A message of the Model Context Protocol is refused: 400 with a JSON-RPC error that bears its identifier.

    `rpc_code` is the error's number; `rpc_id` the identifier, a text or whole number, None where there is none.
    """

    def __init__(self, code: str, text: str, rpc_code: int, rpc_id: str | int | None = None) -> None:
        super().__init__(code, text)
        self.rpc_code = rpc_code
        self.rpc_id = rpc_id


class Scheme(enum.StrEnum):
    """How a credential is sent, and so how a challenge asks for another."""

    BEARER = "Bearer"  # RFC 6750
    DPOP = "DPoP"  # RFC 9449


class CredentialRefused(Refusal):
    """No credential, or one that does not hold: 401 with a `WWW-Authenticate` challenge, 400 for `invalid_request`.

    `error` is the challenge's error code (RFC 6750 section 3.1, RFC 9449 section 7.1); None where no credential was
    sent, as the RFC asks. `scheme` is the one to ask for, `nonce` one that the next proof is to carry.
    """

    def __init__(
        self,
        code: str,
        text: str,
        error: str | None = "invalid_token",
        *,
        scheme: Scheme = Scheme.BEARER,
        nonce: str | None = None,
    ) -> None:
        super().__init__(code, text)
        self.error = error
        self.scheme = scheme
        self.nonce = nonce
        self.status = 400 if error == "invalid_request" else 401


class Outage(Exception):  # noqa: N818  (the domain's word)
    """The check could not be made: 503, and never an allow. `detail` is for the log."""

    status = 503

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class KeysUnavailable(Outage):
    """An issuer's keys are not at hand, or older than they may be."""

    def __init__(self, detail: str) -> None:
        super().__init__("keys_unavailable", detail)


class ReplayUnknown(Outage):
    """Whether a DPoP proof was used before cannot be told now."""

    def __init__(self, detail: str) -> None:
        super().__init__("replay_unknown", detail)


class PolicyFailed(Outage):
    """The policy raised an error, is undefined, took too long, or answered with something that is no verdict.

    `code` is `policy_failed`, `policy_deadline` where the evaluation was cut, or `policy_unavailable` where the server
    that evaluates is away.
    """

    def __init__(self, detail: str, code: str = "policy_failed") -> None:
        super().__init__(code, detail)
