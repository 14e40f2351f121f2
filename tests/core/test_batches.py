"""The JSON of a batch, and of what it was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bcpicture import AnswerError, Endpoint
from bcpicture.core import urls
from bcpicture.core.batches import Answer, build, read
from bcpicture.core.dialects import ITEM

GUID = "5d115c9c-44e3-4f70-8a9b-0c1d2e3f4a5b"


def answered(*responses: Mapping[str, Any]) -> bytes:
    return json.dumps({"responses": responses}).encode()


def test_a_batch_has_an_id_for_each_of_its_reads():
    told = json.loads(build(["companies(1)/items(2)/picture", "x"]))
    accept = {"Accept": "application/json"}
    assert told == {
        "requests": [
            {
                "id": "0",
                "method": "GET",
                "url": "companies(1)/items(2)/picture",
                "headers": accept,
            },
            {"id": "1", "method": "GET", "url": "x", "headers": accept},
        ]
    }


@pytest.mark.parametrize("base", ["https://bc:7048/BC/api/v2.0", "https://bc/api/v2.0"])
def test_an_inner_address_is_relative_to_the_service_root(base: str):
    endpoint = Endpoint.at(f"{base}?tenant=a%20b")
    url = urls.picture(endpoint, GUID, ITEM, GUID)
    inner = urls.inner(endpoint, url)
    assert inner == f"companies({GUID})/items({GUID})/picture?tenant=a%20b"
    assert str(urls.batch(endpoint)) == f"{base}/$batch?tenant=a%20b"


def test_answers_are_sorted_by_their_ids():
    body = answered(
        {"id": "2", "status": 204},
        {"id": "0", "status": 200, "headers": {"A": 1}, "body": {"id": "x"}},
        {"id": "7", "status": 200},
    )
    assert read(body, 3) == [
        Answer(status=200, headers={"A": "1"}, told={"id": "x"}),
        None,
        Answer(status=204, headers={}),
    ]


def test_a_body_may_be_json_in_a_text():
    [answer] = read(answered({"id": "0", "status": 200, "body": '{"id": "x"}'}), 1)
    assert answer
    assert answer.body == b'{"id": "x"}'
    assert answer.read() == {"id": "x"}


@pytest.mark.parametrize("told", [None, "", "{", '{"id": '])
def test_an_answer_that_is_no_json_cannot_be_read(told: str | None):
    with pytest.raises(AnswerError, match="is no JSON"):
        Answer(status=200, headers={}, told=told).read()


def test_a_refusal_inside_tells_what_one_outside_would_tell():
    error = {"code": "Application_TooManyRequests", "message": "Slow down."}
    for name in ("Retry-After", "retry-after", "RETRY-AFTER"):
        answer = Answer(status=429, headers={name: "7"}, told={"error": error})
        failure = answer.failure("companies(1)/x", now=0.0)
        assert (failure.status, failure.code) == (429, error["code"])
        assert failure.retry_after == 7
        assert failure.path == "companies(1)/x"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"[]", r"\$\.responses", id="no object"),
        pytest.param(b"{}", r"\$\.responses", id="no responses"),
        pytest.param(b'{"responses": "x"}', r"\$\.responses", id="a text"),
        pytest.param(b'{"responses": [1]}', r"\$\.responses\[0\]", id="no answer"),
        pytest.param(
            b'{"responses": [{"id": "0", "status": "200"}]}',
            r"\$\.responses\[0\]\.status",
            id="no status",
        ),
        pytest.param(b"<html>", "no JSON", id="no JSON"),
    ],
)
def test_what_is_no_answer_to_a_batch_is_an_error_that_names_the_place(
    body: bytes, place: str
):
    with pytest.raises(AnswerError, match=place):
        read(body, 1)
