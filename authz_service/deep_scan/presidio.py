"""Microsoft Presidio's analyser, for whoever has installed it: `pip install 'agent-gateway[presidio]'` and a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from authz_service.deep_scan.analyser import AnalyserError, Hit

LANGUAGE: Final = "en"
# Presidio's names for what we have names for; its others stay as they are, in lower case.
NAMES: Final = {
    "CREDIT_CARD": "payment_card",
    "CRYPTO": "crypto_wallet",
    "IBAN_CODE": "iban",
    "PHONE_NUMBER": "phone_number",
    "UK_NINO": "uk_nino",
    "US_PASSPORT": "us_passport",
}


class Presidio:
    """Loads the model once, which takes seconds and a few hundred megabytes."""

    def __init__(self) -> None:
        try:
            from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415  (an extra that few have)
        except ImportError as error:
            raise AnalyserError(
                "the analyser presidio is not installed: pip install 'agent-gateway[presidio]', then "
                "python -m spacy download en_core_web_lg"
            ) from error
        self._engine: Any = AnalyzerEngine()

    def analyse(self, text: str) -> Sequence[Hit]:
        """Return what Presidio finds."""
        return [
            Hit(NAMES.get(found.entity_type, found.entity_type.lower()), found.start, found.end, float(found.score))
            for found in self._engine.analyze(text=text, language=LANGUAGE)
        ]
