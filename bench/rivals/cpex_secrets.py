"""ContextForge's secrets detection (Rust), with its broader detectors switched on too.

It says which kinds it found and hands back a text without them, not where they were. What differs between the two
texts, from the first character to the last, is taken for the place of all of them.
"""

from __future__ import annotations

from cpex_secrets_detection import py_scan_container

from bench.rivals.serving import Found, serve

_NAMES = {
    "aws_access_key_id": "aws_access_key",
    "aws_secret_access_key": "aws_secret_key",
    "google_api_key": "gcp_api_key",
    "github_token": "github_token",
    "stripe_secret_key": "stripe_key",
    "slack_token": "slack_token",
    "private_key_block": "private_key",
    "jwt_like": "jwt",
    "generic_api_key_assignment": "generic_secret",
}
_CONFIGURATION = {
    "enabled": {**dict.fromkeys(_NAMES, True), "hex_secret_32": False, "base64_24": False},
    "redact": True,
    "redaction_text": "\0",
}


def scan(text: str) -> list[Found]:
    """Scan one text."""
    count, redacted, kinds = py_scan_container(text, _CONFIGURATION)
    if not count:
        return []
    most = min(len(text), len(redacted))
    start = next((at for at in range(most) if text[at] != redacted[at]), most)
    behind = next((at for at in range(most - start) if text[-1 - at] != redacted[-1 - at]), 0)
    return [(_NAMES[kind["type"]], start, len(text) - behind) for kind in kinds]


if __name__ == "__main__":
    serve("cpex-secrets-detection", _NAMES.values(), scan, "no places: what changed in the text is taken for them")
