"""A whole body as text."""

from authz_service.dlp.views.reading import read_text


def test_a_body_reads_as_the_application_reads_it() -> None:
    """By its type, look-alikes folded, and never with an error."""
    assert read_text(b'"\\u0041\\u200b\xff"', "application/json") == '"A\ufffd"'
    assert read_text("１２\u2011３".encode(), "") == "12-3"  # noqa: RUF001
