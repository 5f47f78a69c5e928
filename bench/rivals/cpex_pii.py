"""ContextForge's PII filter (Rust), as it comes."""

from __future__ import annotations

from cpex_pii_filter import PIIDetectorRust

from bench.rivals.serving import Found, characters, serve

_NAMES = {
    "ssn": "us_ssn",
    "credit_card": "payment_card",
    "email": "email_address",
    "phone": "phone_number",
    "ip_address": "ip_address",
    "date_of_birth": "date_of_birth",
    "passport": "us_passport",
    "bank_account": "iban",
}


def main() -> None:
    """Serve."""
    detector = PIIDetectorRust({"max_text_bytes": 10_485_760})

    def scan(text: str) -> list[Found]:
        place = characters(text)  # it tells bytes
        return [
            (_NAMES.get(name, name), place(found["start"]), place(found["end"]))
            for name, all_found in detector.detect(text).items()
            for found in all_found
        ]

    serve("cpex-pii-filter", [*_NAMES.values(), "uk_passport"], scan)


if __name__ == "__main__":
    main()
