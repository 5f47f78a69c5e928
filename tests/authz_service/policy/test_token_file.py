"""A token's file: read whole, within bounds, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.policy.token_file import MAX_TOKEN_BYTES, read_token
from service_kit.faults import ConfigurationError


@pytest.mark.parametrize("text", ["t0ken", "  t0ken\n", "a.b-c_d~e+f/g==", "x" * MAX_TOKEN_BYTES])
def test_a_token_is_read_without_the_space_around_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    assert read_token(tmp_path / "token") == text.strip()


@pytest.mark.parametrize(
    "text", ["", "s3cret s3cret", "s3cret\nX: y", "s3cret=s3cret", "sécret", "x" * (MAX_TOKEN_BYTES + 1)]
)
def test_what_is_no_token_is_a_fault_that_does_not_show_it(tmp_path: Path, text: str) -> None:
    """Such a text could end a header early, or is too long for one."""
    (tmp_path / "token").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_token(tmp_path / "token")
    (fault,) = caught.value.faults
    assert (fault.source, fault.text) == (
        str(tmp_path / "token"),
        f"holds no bearer token of at most {MAX_TOKEN_BYTES} bytes",
    )


def test_a_file_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_token(tmp_path / "token")
