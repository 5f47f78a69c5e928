"""Entries that only whoever has the key can read."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.deep_scan import sealing
from authz_service.deep_scan.note import Note
from authz_service.deep_scan.sealing import KEY_BYTES, Seal, SealError

NOTE = Note("d-1", "r-1", "request", "alice", "cowork", "https://idp", "j-1", "/reports", "application/json", 7.5)
OLD, NEW = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)


@given(st.binary(max_size=2_000))
def test_an_entry_opens_to_what_was_put_in(body: bytes) -> None:
    """Note and body."""
    assert Seal([NEW]).open(Seal([NEW]).close(NOTE, body)) == (NOTE, body)


def test_nothing_of_it_can_be_read_without_the_key() -> None:
    """Neither body nor note."""
    entry = Seal([NEW]).close(NOTE, b"123-45-6789" * 3)
    assert not any(part in entry for part in (b"123-45-6789", b"alice", b"reports"))


def test_the_same_body_never_looks_the_same() -> None:
    """Its nonce is another each time."""
    assert len({Seal([NEW]).close(NOTE, b"body") for _ in range(100)}) == 100


def test_a_new_key_is_put_in_front_and_the_old_one_still_opens() -> None:
    """Until it is taken away."""
    entry = Seal([OLD]).close(NOTE, b"body")
    assert Seal([NEW, OLD]).open(entry) == (NOTE, b"body")
    assert Seal([NEW]).open(Seal([NEW, OLD]).close(NOTE, b"body")) == (NOTE, b"body")
    with pytest.raises(SealError, match="a key that is not here"):
        Seal([NEW]).open(entry)


@given(st.data())
def test_a_changed_bit_is_seen(data: st.DataObject) -> None:
    """Anywhere in the entry, its head too."""
    entry = bytearray(Seal([NEW]).close(NOTE, b"body"))
    entry[data.draw(st.integers(0, len(entry) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        Seal([NEW]).open(bytes(entry))


@given(st.binary(max_size=200))
def test_other_bytes_are_no_entry(data: bytes) -> None:
    """Whoever has put them there."""
    with pytest.raises(SealError):
        Seal([NEW]).open(data)


def test_a_body_that_unpacks_to_more_than_it_may_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the key could still be at fault."""
    entry = Seal([NEW]).close(NOTE, b"\0" * 5_000)
    monkeypatch.setattr(sealing, "MAX_BODY_BYTES", 4_999)
    with pytest.raises(SealError, match="more than 4999 bytes"):
        Seal([NEW]).open(entry)


def test_a_body_that_is_cut_off_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not there whole was not looked at whole."""
    whole = zlib.compress
    monkeypatch.setattr(zlib, "compress", lambda body, level: whole(body, level)[:-4])
    entry = Seal([NEW]).close(NOTE, b"body" * 100)
    with pytest.raises(SealError, match="or a part of one"):
        Seal([NEW]).open(entry)
