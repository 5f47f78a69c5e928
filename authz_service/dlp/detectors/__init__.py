"""Every detector, by family. A new family is a file here and a line in `ALL`."""

from authz_service.dlp.detectors import credentials, government_ids
from authz_service.dlp.detectors.detector import Detector

ALL: tuple[Detector, ...] = (*government_ids.DETECTORS, *credentials.DETECTORS)

__all__ = ["ALL", "Detector"]
