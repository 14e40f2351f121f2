"""Which bytes are not wanted."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from bcpicture import ALREADY_THERE, Downloaded, Uploaded, UsageError
from bcpicture.core.digests import read_unless

DIGEST = "0f" * 32


@pytest.mark.parametrize(
    ("unless", "meant"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param(ALREADY_THERE, ALREADY_THERE, id="already-there"),
        pytest.param(DIGEST, DIGEST, id="digits"),
        pytest.param(DIGEST.upper(), DIGEST, id="capitals"),
        pytest.param(Uploaded(size=1, sha256=DIGEST), DIGEST, id="uploaded"),
        pytest.param(
            Downloaded(path=PurePosixPath("a"), size=1, sha256=DIGEST),
            DIGEST,
            id="downloaded",
        ),
    ],
)
def test_a_digest_is_taken_in_every_form_that_a_caller_has(
    unless: object, meant: object
):
    assert read_unless(unless) == meant


@pytest.mark.parametrize(
    "unless",
    ["", "0f", DIGEST + "\n", f" {DIGEST}", "g" * 64, bytes(32), 5, "9" * 5000],
)
def test_what_is_no_digest_is_refused_with_advice(unless: object):
    with pytest.raises(UsageError, match=r"SHA-256.*64 digits") as caught:
        read_unless(unless)
    assert len(str(caught.value)) < 300


def test_a_result_without_a_digest_is_refused_with_advice():
    with pytest.raises(UsageError, match=r"Uploaded has no digest.*digest=True"):
        read_unless(Uploaded(size=1))
