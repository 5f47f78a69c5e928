"""A secret in a file: read anew when it changes, kept when the new one is none, and never shown."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from service_kit.secret_file import BEARER_TOKEN, MAX_SECRET_BYTES, PRINTABLE, SecretFile, SecretFileError


@pytest.mark.parametrize("text", [b"s3cret", b"a b:c%+&=", b"s3cret\n", b"s3cret\r\n"])
def test_a_secret_is_what_the_file_holds_without_the_line_break_at_its_end(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text)
    assert SecretFile(file, PRINTABLE).read() == text.decode().rstrip("\r\n")


def test_a_secret_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    """Written over, or turned to by a link."""
    file, other = tmp_path / "secret", tmp_path / "other"
    file.write_bytes(b"one")
    secret = SecretFile(file, PRINTABLE)
    assert secret.read() == "one"
    file.write_bytes(b"second")
    assert secret.read() == "second"
    other.write_bytes(b"third!")
    file.unlink()
    file.symlink_to(other)
    assert secret.read() == "third!"


@pytest.mark.parametrize("text", [b"", b"\n", b"a\nb", b"a\0", b"\xff", b"x" * (MAX_SECRET_BYTES + 1)])
def test_what_cannot_be_sent_is_no_secret_and_leaves_the_last_good_one(
    tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and not what it is."""
    file = tmp_path / "secret"
    file.write_bytes(text)
    with pytest.raises(SecretFileError, match="holds no secret that can be sent"):
        SecretFile(file, PRINTABLE).read()
    file.write_bytes(b"good-one")
    secret = SecretFile(file, PRINTABLE)
    assert secret.read() == "good-one"
    file.write_bytes(text)
    with caplog.at_level(logging.ERROR):
        assert [secret.read(), secret.read()] == ["good-one", "good-one"]
    assert [vars(record)["fields"]["problem"].partition(" holds")[0] for record in caplog.records] == [str(file)]
    file.write_bytes(b"another-one")
    assert secret.read() == "another-one"


def test_a_file_that_went_leaves_the_last_good_one(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(SecretFileError, match="secret cannot be read: No such file"):
        SecretFile(file, PRINTABLE).read()
    file.write_bytes(b"good")
    secret = SecretFile(file, PRINTABLE)
    assert secret.read() == "good"
    file.unlink()
    assert secret.read() == "good"


@pytest.mark.parametrize(("text", "good"), [(b"a.b~c+/==", True), (b"a b", False), (b"a:b", False)])
def test_a_bearer_token_has_a_narrower_form(tmp_path: Path, text: bytes, *, good: bool) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text)
    if good:
        assert SecretFile(file, BEARER_TOKEN).read() == text.decode()
    else:
        with pytest.raises(SecretFileError) as caught:
            SecretFile(file, BEARER_TOKEN).read()
        assert text.decode() not in str(caught.value)
