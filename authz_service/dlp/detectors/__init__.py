"""Every detector, by family. A new family is a file here and a line in `ALL`, or in `EVERY` alone.

`ALL` holds what is taken out wherever it stands, unless an operator says otherwise. `EVERY` holds the rest too: people
give e-mail addresses, phone numbers, network addresses and dates to an API all the time because it asks for them, so
these are told, and left where they are.

Where two find the same, the one that stands first names it: what is known by its form comes before what is known by the
words beside it.
"""

from authz_service.dlp.detectors import (
    cloud_keys,
    connection,
    contact,
    crypto,
    developer_tokens,
    government_ids,
    keywords,
    payments,
    people,
    private_keys,
    service_keys,
    tokens,
    vat,
)
from authz_service.dlp.detectors.detector import Detector

ALL: tuple[Detector, ...] = (
    *government_ids.DETECTORS,
    *vat.DETECTORS,
    *payments.DETECTORS,
    *crypto.DETECTORS,
    *private_keys.DETECTORS,
    *cloud_keys.DETECTORS,
    *developer_tokens.DETECTORS,
    *service_keys.DETECTORS,
    *tokens.DETECTORS,
    *connection.DETECTORS,
    *keywords.DETECTORS,
)
EVERY: tuple[Detector, ...] = (
    *ALL,
    *contact.DETECTORS,
    *people.DETECTORS,
)

__all__ = ["ALL", "EVERY", "Detector"]
