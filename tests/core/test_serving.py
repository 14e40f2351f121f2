"""Nothing that is stored as a picture becomes a page or a script of the shop's."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture import UsageError
from bcpicture.core import media
from bcpicture.core.serving import (
    GUARDS,
    HARMLESS,
    Rules,
    disposition,
    file_name,
    headers_for,
    standing_headers,
)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
WEBP = b"RIFF\0\0\0\0WEBPVP8 "
AVIF = b"\0\0\0\x1cftypavif"

PICTURES = [
    pytest.param(b"\xff\xd8\xff\xe0", "image/jpeg", id="jpeg"),
    pytest.param(b"\x89PNG\r\n\x1a\n", "image/png", id="png"),
    pytest.param(b"GIF89a", "image/gif", id="gif"),
    pytest.param(b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp", id="bmp"),
    pytest.param(WEBP, "image/webp", id="webp"),
    pytest.param(AVIF, "image/avif", id="avif"),
]
OTHERS = [
    pytest.param(SVG, id="svg"),
    pytest.param(b"<?xml version='1.0'?>\n<!-- -->" + SVG, id="svg-behind-a-prolog"),
    pytest.param(SVG.decode().encode("utf-16"), id="svg-in-utf-16"),
    pytest.param(HTML, id="html"),
    pytest.param(b'{"error": 1}', id="json"),
    pytest.param(b"II*\0", id="tiff"),
    pytest.param(b"%PDF-1.7", id="pdf"),
    pytest.param(b"alert(1)", id="script"),
    pytest.param(b"", id="nothing"),
]


@pytest.mark.parametrize(("head", "content_type"), PICTURES)
def test_a_harmless_picture_goes_out_under_the_type_of_its_bytes(
    head: bytes, content_type: str
):
    headers = headers_for(media.sniff(head), Rules(), length=7, etag='"x"')
    assert headers["Content-Type"] == content_type
    assert headers["Content-Length"] == "7"
    assert headers["ETag"] == '"x"'
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize("head", OTHERS)
def test_everything_else_is_a_file_to_save_or_nothing(head: bytes):
    kind = media.sniff(head)
    headers = headers_for(kind, Rules(), name="1896-S")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert Rules().shows(kind)
    assert not Rules(unshowable="refuse").shows(kind)


@given(st.binary(max_size=64))
def test_no_bytes_at_all_become_another_type(head: bytes):
    allowed = {kind.content_type for kind in HARMLESS} | {"application/octet-stream"}
    assert headers_for(media.sniff(head), Rules())["Content-Type"] in allowed


def test_every_answer_is_guarded():
    for headers in (
        headers_for(media.JPEG, Rules()),
        headers_for(None, Rules()),
        standing_headers(Rules(), etag=None),
    ):
        assert headers.items() >= GUARDS.items()
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Cross-Origin-Resource-Policy"] == "same-site"
        assert "Last-Modified" not in headers


def test_the_rules_of_the_site_are_in_the_headers():
    rules = Rules(cache_control="public, max-age=300", cross_origin="cross-origin")
    headers = headers_for(media.PNG, rules)
    assert headers["Cache-Control"] == "public, max-age=300"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    "rules",
    [
        {"cache_control": "no-store\r\nSet-Cookie: a=b"},
        {"cache_control": ""},
        {"cache_control": "für immer"},
        {"cross_origin": "same-site\r\nX: y"},
        {"cross_origin": "everybody"},
        {"unshowable": "show"},
    ],
    ids=str,
)
def test_rules_that_are_none_are_refused(rules: dict[str, str]):
    with pytest.raises(UsageError, match=next(iter(rules))):
        Rules(**rules)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        pytest.param("1896-S", media.JPEG, "1896-S.jpg", id="usual"),
        pytest.param("chair.JPEG", media.JPEG, "chair.JPEG", id="another-spelling"),
        pytest.param("chair.jpg", media.PNG, "chair.jpg.png", id="a-wrong-one"),
        pytest.param("1896-S", None, "1896-S.bin", id="unknown"),
        pytest.param("page.html", media.HTML, "page.html.bin", id="page"),
        pytest.param("logo", media.SVG, "logo.bin", id="svg"),
        pytest.param("scan", media.TIFF, "scan.tiff", id="harmless-to-save"),
        pytest.param("../../etc/passwd", media.PNG, "_.._etc_passwd.png", id="path"),
        pytest.param("a\r\nb", media.PNG, "a__b.png", id="line-break"),
        pytest.param("gpj.\u202eexe", media.PNG, "gpj._exe.png", id="turned-around"),
        pytest.param(" . ", media.GIF, "picture.gif", id="nothing-left"),
    ],
)
def test_a_file_name_misleads_nobody(name: str, kind: media.Kind | None, expected: str):
    assert file_name(name, kind) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("a.png", 'inline; filename="a.png"', id="plain"),
        pytest.param(
            "Stühl 5%.png",
            "inline; filename=\"St_hl 5_.png\"; filename*=UTF-8''St%C3%BChl%205%25.png",
            id="umlaut-and-percent",
        ),
        pytest.param(
            "椅子.png",
            "inline; filename=\"__.png\"; filename*=UTF-8''%E6%A4%85%E5%AD%90.png",
            id="chinese",
        ),
        pytest.param(
            "O'Neil.png",
            "inline; filename=\"O_Neil.png\"; filename*=UTF-8''O%27Neil.png",
            id="apostrophe",
        ),
    ],
)
def test_a_file_name_is_written_as_rfc_6266_says(name: str, expected: str):
    assert disposition(name, inline=True) == expected


@given(st.text(), st.sampled_from([None, *sorted(HARMLESS, key=str)]))
def test_no_name_breaks_out_of_its_header(name: str, kind: media.Kind | None):
    value = headers_for(kind, Rules(), name=name or "x")["Content-Disposition"]
    found = re.fullmatch(
        r'(?:inline|attachment); filename="([ -~]+)"(?:; filename\*=UTF-8\'\'(\S+))?',
        value,
    )
    assert found
    assert not set(found[1]) & set('"\\/%')
    if found[2]:
        assert re.fullmatch(r"(?:%[0-9A-F]{2}|[A-Za-z0-9!#$&+.^_`|~-])+", found[2])
        assert unquote(found[2]).isprintable()
