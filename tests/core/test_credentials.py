"""Credentials refuse what cannot work, and never show their secrets."""

from __future__ import annotations

import pytest

from bcpicture.core.credentials import BasicKey, ClientSecret, StaticToken
from bcpicture.errors import ConfigurationError, UsageError

SECRET = "hush-hush"


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        pytest.param(
            ClientSecret(client_id="app", client_secret=SECRET, tenant="contoso.com"),
            "ClientSecret(client_id='app', tenant='contoso.com', "
            "authority='https://login.microsoftonline.com', token_url=None, "
            "scope=None)",
            id="client secret",
        ),
        pytest.param(StaticToken(SECRET), "StaticToken()", id="token"),
        pytest.param(BasicKey("me", SECRET), "BasicKey(user='me')", id="key"),
    ],
)
def test_a_credential_is_shown_in_one_line_without_its_secret(
    credential: object, shown: str
):
    assert repr(credential) == str(credential) == shown


MAKERS = [
    pytest.param(
        lambda it: ClientSecret(client_id=it, client_secret="x"),
        "client_id",
        id="client id",
    ),
    pytest.param(
        lambda it: ClientSecret(client_id="x", client_secret=it),
        "client_secret",
        id="client secret",
    ),
    pytest.param(StaticToken, "token", id="token"),
    pytest.param(lambda it: BasicKey(it, "x"), "user", id="user"),
    pytest.param(lambda it: BasicKey("x", it), "key", id="key"),
]


@pytest.mark.parametrize("value", ["", " ", f"{SECRET}\n", f" {SECRET}", f"{SECRET} "])
@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_blanks_around_a_secret_are_a_mistake_that_is_not_quoted(
    make: object, name: str, value: str
):
    with pytest.raises(ConfigurationError) as caught:
        make(value)
    assert str(caught.value) == (
        f"The {name} is empty, or has blanks around it. "
        "Look at where it comes from: a file may end in a line break."
    )


@pytest.mark.parametrize("control", ["\r", "\n", "\0"], ids=["CR", "LF", "NUL"])
@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_a_secret_cannot_split_a_header(make: object, name: str, control: str):
    with pytest.raises(UsageError) as caught:
        make(f"hush{control}hush")
    assert str(caught.value).startswith(f"The {name} has a control character")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("field", ["tenant", "authority", "token_url", "scope"])
def test_nothing_else_of_a_client_secret_can_split_anything(field: str):
    with pytest.raises(UsageError, match=r"has a control character \(U\+000D\)"):
        ClientSecret(client_id="a", client_secret="b", **{field: "x\r\ny"})


@pytest.mark.parametrize("tenant", ["", ".", "..", "../evil", "a/b"])
def test_a_tenant_is_one_guid_or_domain(tenant: str):
    with pytest.raises(ConfigurationError) as caught:
        ClientSecret(client_id="a", client_secret="b", tenant=tenant)
    assert str(caught.value) == (
        f"The tenant {tenant!r} is neither a GUID nor a domain. "
        "Copy it from the directory's overview page."
    )


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_a_token_is_given_without_the_word_bearer(word: str):
    with pytest.raises(ConfigurationError) as caught:
        StaticToken(f"{word} {SECRET}")
    assert str(caught.value) == (
        'The token starts with "Bearer ". Hand over the bare token, without that word.'
    )


@pytest.mark.parametrize(
    ("user", "key"),
    [
        pytest.param("me:too", SECRET, id="colon"),
        pytest.param("José", SECRET, id="user beyond ASCII"),
        pytest.param("me", f"{SECRET}é", id="key beyond ASCII"),
    ],
)
def test_basic_carries_ascii_and_no_colon_in_the_user(user: str, key: str):
    with pytest.raises(ConfigurationError) as caught:
        BasicKey(user, key)
    assert str(caught.value) == (
        "The user has a colon, or user or key have characters beyond ASCII. "
        "Choose a user name and key that HTTP Basic can carry."
    )


def test_a_key_may_hold_a_colon():
    assert BasicKey("me", "a:b").key == "a:b"
