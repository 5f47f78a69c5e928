"""Yelp's detect-secrets with all its plugins, as it reads files: one file for each text."""

from __future__ import annotations

import tempfile
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

from bench.rivals.serving import Found, serve

_NAMES = {
    "AWS Access Key": "aws_access_key",
    "Azure Storage Account access key": "azure_key",
    "Basic Auth Credentials": "basic_auth_url",
    "GitHub Token": "github_token",
    "GitLab Token": "gitlab_token",
    "JSON Web Token": "jwt",
    "NPM tokens": "npm_token",
    "OpenAI Token": "openai_key",
    "Private Key": "private_key",
    "PyPI Token": "pypi_token",
    "SendGrid API Key": "sendgrid_key",
    "Slack Token": "slack_token",
    "Stripe Access Key": "stripe_key",
    "Twilio API Key": "twilio_key",
    "Secret Keyword": "generic_secret",
    "Base64 High Entropy String": "generic_secret",
    "Hex High Entropy String": "generic_secret",
}


def main() -> None:
    """Serve."""
    with tempfile.TemporaryDirectory() as folder, default_settings():
        file = Path(folder) / "text.txt"

        def scan(text: str) -> list[Found]:
            file.write_text(text, "utf-8")
            starts = [0]
            for line in text.splitlines(keepends=True):
                starts.append(starts[-1] + len(line))
            found: list[Found] = []
            for secret in scan_file(str(file)):
                value = secret.secret_value or ""
                start = text.find(value, starts[min(secret.line_number, len(starts)) - 1])
                if start >= 0:
                    found.append((_NAMES.get(secret.type, secret.type), start, start + max(1, len(value))))
            return found

        serve("detect-secrets", _NAMES.values(), scan)


if __name__ == "__main__":
    main()
