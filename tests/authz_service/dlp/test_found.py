"""What was found, in words."""

from authz_service.dlp.detectors import ALL
from authz_service.dlp.found import Blocked, Found


def test_its_value_is_in_no_text_of_it() -> None:
    """Neither when it is shown nor when it stops an exchange."""
    found = Found(ALL[0], 1.0, b"123-45-6789", 7, "q")
    assert "6789" not in repr(found)
    assert "6789" not in repr(Blocked("secret_in_body", found)) + str(Blocked("secret_in_body", found))
