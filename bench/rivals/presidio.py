"""Presidio's analyzer: its predefined recognizers, and those of ours that it has but leaves out unless asked.

With spaCy's small English model where that is installed. PyPI does not have the model: without it a blank one splits
words, names of people and places are not looked for, and recognizers work by their patterns and the words around.
"""

from __future__ import annotations

import logging
import tempfile

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, predefined_recognizers
from presidio_analyzer.nlp_engine import SlimSpacyNlpEngine, SpacyNlpEngine

from bench.rivals.serving import Found, serve

_MODEL = "en_core_web_sm"
_NAMES = {
    "US_SSN": "us_ssn",
    "US_ITIN": "us_itin",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "ABA_ROUTING_NUMBER": "us_routing_number",
    "CA_SIN": "ca_sin",
    "UK_NINO": "uk_nino",
    "US_PASSPORT": "us_passport",
    "UK_PASSPORT": "uk_passport",
    "PHONE_NUMBER": "phone_number",
    "EMAIL_ADDRESS": "email_address",
    "IP_ADDRESS": "ip_address",
    "US_NPI": "us_npi",
    "CRYPTO": "crypto_wallet",
}
_MORE = ("AbaRoutingRecognizer", "CaSinRecognizer", "UkNinoRecognizer", "UkPassportRecognizer", "UsNpiRecognizer")
_LONGEST = 900_000  # characters: spaCy refuses a million


def main() -> None:
    """Serve."""
    logging.disable(logging.CRITICAL)
    has_model = spacy.util.is_package(_MODEL)
    if has_model:
        engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": _MODEL}])
    else:
        with tempfile.TemporaryDirectory() as folder:
            spacy.blank("en").to_disk(folder)
            engine = SlimSpacyNlpEngine(models=[{"lang_code": "en", "model_name": folder}], auto_download=False)
            engine.load()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    for name in _MORE:
        if hasattr(predefined_recognizers, name):
            registry.add_recognizer(getattr(predefined_recognizers, name)())
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    known = {entity for recognizer in registry.recognizers for entity in recognizer.supported_entities} & _NAMES.keys()

    def scan(text: str) -> list[Found]:
        return [
            (_NAMES[found.entity_type], at + found.start, at + found.end)
            for at in range(0, len(text), _LONGEST)
            for found in analyzer.analyze(text[at : at + _LONGEST], language="en", entities=sorted(known))
        ]

    note = f"with {_MODEL}" if has_model else f"without {_MODEL}, which PyPI does not have: patterns and context only"
    serve("presidio-analyzer", [_NAMES[entity] for entity in known], scan, note)


if __name__ == "__main__":
    main()
