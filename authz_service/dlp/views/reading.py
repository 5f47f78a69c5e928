"""A whole body → its text, for those who only read it."""

from __future__ import annotations

from authz_service.dlp.views.opening import open_view


def read_text(body: bytes, content_type: str) -> str:
    """Return the text that the application will read, look-alikes folded; what is no UTF-8 becomes U+FFFD."""
    view = open_view(content_type)
    pieces = [*view.feed(body), *view.finish()]
    return b"".join(piece.text for piece in pieces).decode("utf-8", "replace")
