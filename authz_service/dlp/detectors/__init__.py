"""Every detector, by family. A new family is a file here and a line in `ALL`, or in `EVERY` alone.

`ALL` holds what is taken out wherever it stands, unless an operator says otherwise. `EVERY` holds the rest too: people
give e-mail addresses, phone numbers, network addresses and dates to an API all the time because it asks for them, so
these are told, and left where they are.
"""

from authz_service.dlp.detectors import contact, credentials, crypto, government_ids, payments, people, vat
from authz_service.dlp.detectors.detector import Detector

ALL: tuple[Detector, ...] = (
    *government_ids.DETECTORS,
    *vat.DETECTORS,
    *payments.DETECTORS,
    *crypto.DETECTORS,
    *credentials.DETECTORS,
)
EVERY: tuple[Detector, ...] = (
    *ALL,
    *contact.DETECTORS,
    *people.DETECTORS,
)

__all__ = ["ALL", "EVERY", "Detector"]
