"""What was packed is unpacked whole, or known not to be whole."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core.encodings import Unpacker, unpacker

DATA = bytes(range(256)) * 40


def found(encoding: str) -> Unpacker:
    unpack = unpacker(encoding)
    assert unpack is not None
    return unpack


def fed(unpack: Unpacker, packed: bytes, size: int = 7) -> bytes:
    chunks = (packed[start : start + size] for start in range(0, len(packed), size))
    return b"".join(piece for chunk in chunks for piece in unpack.feed(chunk))


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_plain_bytes_stay_as_they_are_and_are_always_complete(encoding: str):
    unpack = found(encoding)
    assert unpack.complete
    assert fed(unpack, DATA) == DATA
    assert unpack.complete


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        pytest.param("gzip", gzip.compress(DATA), id="gzip"),
        pytest.param("x-gzip", gzip.compress(DATA), id="x-gzip"),
        pytest.param(
            "gzip", gzip.compress(DATA[:99]) + gzip.compress(DATA[99:]), id="members"
        ),
    ],
)
def test_packed_bytes_come_out_whole(encoding: str, packed: bytes):
    unpack = found(encoding)
    assert fed(unpack, packed) == DATA
    assert unpack.complete


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_there_is_no_guess_about_another_encoding(encoding: str):
    assert unpacker(encoding) is None


def test_bytes_that_were_not_packed_are_an_error():
    with pytest.raises(zlib.error):
        fed(found("gzip"), b"<html>")


def test_a_changed_byte_does_not_go_unnoticed():
    packed = bytearray(gzip.compress(DATA))
    packed[-8] ^= 1  # the checksum
    with pytest.raises(zlib.error):
        fed(found("gzip"), bytes(packed))


@pytest.mark.parametrize("size", [1 << 20, 5_000_000], ids=["exact", "more"])
def test_few_bytes_that_stand_for_millions_come_out_in_pieces(size: int):
    unpack, packed = found("gzip"), gzip.compress(bytes(size)) + gzip.compress(b"x")
    pieces = list(unpack.feed(packed))
    assert max(map(len, pieces)) <= 1 << 20
    assert b"".join(pieces) == bytes(size) + b"x"
    assert unpack.complete


@settings(deadline=None)
@given(st.lists(st.binary(), min_size=1, max_size=4), st.integers(1, 50))
def test_members_of_any_size_in_chunks_of_any_size_are_one_stream(
    members: list[bytes], size: int
):
    unpack = found("gzip")
    packed = b"".join(map(gzip.compress, members))
    assert fed(unpack, packed, size) == b"".join(members)
    assert unpack.complete


@settings(deadline=None)
@given(st.binary(), st.data())
def test_a_body_that_was_cut_anywhere_is_not_complete(
    plain: bytes, data: st.DataObject
):
    packed = gzip.compress(plain)
    unpack = found("gzip")
    cut = data.draw(st.integers(0, len(packed) - 1))
    assert plain.startswith(fed(unpack, packed[:cut]))
    assert not unpack.complete
