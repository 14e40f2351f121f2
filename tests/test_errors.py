"""Errors carry values, build their own text, and survive every journey."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture import errors
from bcpicture.errors import (
    BcPictureError,
    CompanyNotFoundError,
    Failure,
    ItemNotFoundError,
    Misfit,
    NoPictureError,
    Trouble,
    UnfitPictureError,
    quote,
)

FAILURE = Failure(
    method="PATCH",
    path="/api/v2.0/companies(c)/items(i)/picture/pictureContent",
    status=409,
    code="Request_EntityChanged",
    message="Another user has already changed the record.",
    correlation_id="5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d",
    retry_after=7.0,
    claims='{"hush": 1}',
    doubtful=True,
    attempts=2,
    verdict="final",
)
SHORT = (
    "PATCH /api/v2.0/companies(c)/items(i)/picture/pictureContent: "
    "409 Request_EntityChanged, 2 attempts, final, "
    "correlation id 5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"
)


def kinds() -> Iterator[type[BcPictureError]]:
    found = [BcPictureError]
    for kind in found:
        ours = (it for it in kind.__subclasses__() if it.__module__ == errors.__name__)
        found.extend(ours)
        yield kind


def made(kind: type[BcPictureError], failure: Failure | None) -> BcPictureError:
    if kind is CompanyNotFoundError:
        return CompanyNotFoundError("CRONUS", ("A", "B"), failure=failure)
    if kind is ItemNotFoundError:
        return ItemNotFoundError("item", "1896-S", company="A", failure=failure)
    if kind is NoPictureError:
        return NoPictureError('item "1896-S"', failure=failure)
    if kind is UnfitPictureError:
        return UnfitPictureError("It is cut.", advice="Mend it.", misfit=Misfit.CUT)
    return kind("It broke.", advice="Mend it.", failure=failure)


ERRORS = [
    pytest.param(made(kind, failure), id=f"{kind.__name__}-{label}")
    for kind in kinds()
    for label, failure in (("sent", FAILURE), ("unsent", None))
]


def journeys(error: BcPictureError) -> Iterator[BcPictureError]:
    yield copy.copy(error)
    yield copy.deepcopy(error)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(error, protocol))


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_the_same_after_copying_and_pickling(error: BcPictureError):
    for twin in journeys(error):
        assert twin is not error
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert repr(twin) == repr(error)
        assert vars(twin) == vars(error)
        assert twin.args == error.args


def test_a_copy_can_be_changed_without_changing_the_original():
    error = errors.ConflictError("It broke.", failure=FAILURE)
    twin = copy.copy(error)
    twin.what, twin.failure = "It broke twice.", None
    assert str(error) == f"It broke. [{SHORT}]"
    assert str(twin) == "It broke twice."


def test_notes_travel_with_an_error():
    error = errors.ConflictError("It broke.")
    error.add_note("while pushing 1896-S.jpg")
    assert pickle.loads(pickle.dumps(error)).__notes__ == error.__notes__


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_says_what_happened_what_to_do_and_which_request_it_was(
    error: BcPictureError,
):
    text = str(error)
    assert error.what in text
    assert error.advice in text
    assert text.endswith("]" if error.failure else error.advice)
    assert text.isprintable()
    assert error.attempts == (2 if error.failure else 0)


@pytest.mark.parametrize("error", ERRORS)
def test_no_error_shows_claims_or_the_body(error: BcPictureError):
    assert "hush" not in f"{error}{error!r}{error.failure!r}"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(errors.ClosedError("It is closed."), "It is closed.", id="what"),
        pytest.param(
            errors.ClosedError("It is closed.", advice="Open it."),
            "It is closed. Open it.",
            id="advice",
        ),
        pytest.param(
            errors.ConflictError("It changed.", advice="Look.", failure=FAILURE),
            f"It changed. Look. [{SHORT}]",
            id="failure",
        ),
        pytest.param(
            CompanyNotFoundError("CRONUS", ("A", "O'Neil & Sons / Ltd.")),
            'There is no company "CRONUS". The companies are: "A", '
            '"O\'Neil & Sons / Ltd.".',
            id="company, with those that exist",
        ),
        pytest.param(
            CompanyNotFoundError("CRONUS"),
            'There is no company "CRONUS". List the companies with `bc.companies`.',
            id="company, others unknown",
        ),
        pytest.param(
            ItemNotFoundError("item variant", "RED", company="A"),
            'There is no item variant "RED" in company "A". Numbers are compared '
            "exactly, as Business Central shows them, and an id is unique only within "
            "its company.",
            id="item",
        ),
        pytest.param(
            NoPictureError('item "1896-S" in company "A"'),
            'There is no picture of item "1896-S" in company "A". Ask `info().exists` '
            "first, or use `read(default=None)`.",
            id="picture",
        ),
    ],
)
def test_the_text_of_an_error(error: BcPictureError, text: str):
    assert str(error) == text


def test_what_is_missing_is_told_in_values_too():
    company = CompanyNotFoundError("CRONUS", ("A",))
    item = ItemNotFoundError("item", "1896-S", company="A")
    assert (company.company, company.known) == ("CRONUS", ("A",))
    assert (item.kind, item.key, item.company) == ("item", "1896-S", "A")
    assert NoPictureError("item").of == "item"


def test_a_long_list_of_companies_does_not_fill_the_screen():
    names = tuple(f"Company {number}" for number in range(1000))
    error = CompanyNotFoundError("CRONUS", names)
    assert len(str(error)) < 2000
    assert error.known == names


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.UsageError, ValueError),
        (errors.ConfigurationError, ValueError),
        (errors.ClosedError, RuntimeError),
        (errors.StalledError, TimeoutError),
    ],
)
def test_who_catches_pythons_own_error_catches_ours(
    kind: type[BcPictureError], builtin: type[Exception]
):
    with pytest.raises(builtin, match=r"It broke\. Mend it\."):
        raise made(kind, None)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        pytest.param(FAILURE, SHORT, id="everything"),
        pytest.param(
            Failure(method="GET", path="/x", status=404), "GET /x: 404", id="a status"
        ),
        pytest.param(
            Failure(method="GET", path="/x", trouble=Trouble.CUT),
            "GET /x: answer cut short",
            id="a trouble",
        ),
        pytest.param(
            Failure(method="GET", path="/x", status=200, trouble=Trouble.CUT),
            "GET /x: answer cut short",
            id="a trouble after a status",
        ),
    ],
)
def test_a_failure_in_one_line(failure: Failure, text: str):
    assert str(failure) == text


def test_a_long_address_is_cut_in_the_text_of_an_error():
    """A listing by many numbers is near the service's limit of 15 KB."""
    failure = Failure(method="GET", path="/x?$filter=" + "a" * 15_000, status=400)
    assert len(str(errors.RejectedError("It broke.", failure=failure))) < 1000
    assert len(failure.path) > 15_000


@settings(deadline=None)
@given(st.text())
def test_a_quotation_is_one_line_of_bearable_length(text: str):
    line = quote(text)
    assert len(line) <= 301
    assert len(line.splitlines()) <= 1
    assert quote(line) == line or line.endswith("…")
