"""What is asked of the identity provider, and what its answers mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core.credentials import ClientSecret
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.oauth import (
    Token,
    read_token,
    refusal,
    tenant_of,
    token_request,
    token_url,
)
from bcpicture.errors import (
    AnswerError,
    AuthenticationError,
    ConfigurationError,
    Failure,
)

AT_HOME = Endpoint.on_premises("bc.example.com")
ONLINE = Endpoint.cloud("contoso.com", "Production")
FAILED = Failure(method="POST", path="/contoso.com/oauth2/v2.0/token", status=401)


def app(**more: str) -> ClientSecret:
    return ClientSecret(client_id="app", client_secret="hush&hush", **more)


@pytest.mark.parametrize(
    ("credential", "endpoint", "address"),
    [
        pytest.param(
            app(),
            ONLINE,
            "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
            id="the tenant of the endpoint",
        ),
        pytest.param(
            app(tenant="fabrikam.com"),
            AT_HOME,
            "https://login.microsoftonline.com/fabrikam.com/oauth2/v2.0/token",
            id="the tenant of the credential",
        ),
        pytest.param(
            app(authority="https://login.partner.microsoftonline.cn/"),
            ONLINE,
            "https://login.partner.microsoftonline.cn/contoso.com/oauth2/v2.0/token",
            id="a sovereign cloud",
        ),
        pytest.param(
            app(authority="https://id.example.com/realms"),
            ONLINE,
            "https://id.example.com/realms/contoso.com/oauth2/v2.0/token",
            id="an authority with a path",
        ),
        pytest.param(
            app(),
            Endpoint.at("https://bc/api/v2.0", tenant="../a?b#c"),
            "https://login.microsoftonline.com/..%2Fa%3Fb%23c/oauth2/v2.0/token",
            id="a tenant is one segment, whatever is in it",
        ),
        pytest.param(
            app(token_url="https://id.example.com/token?x=1"),
            AT_HOME,
            "https://id.example.com/token?x=1",
            id="the whole address, no tenant needed",
        ),
        pytest.param(
            app(token_url="http://127.0.0.1:8080/token"),
            AT_HOME,
            "http://127.0.0.1:8080/token",
            id="plain http on this very machine",
        ),
    ],
)
def test_where_a_token_comes_from(
    credential: ClientSecret, endpoint: Endpoint, address: str
):
    assert str(token_url(credential, endpoint)) == address


def test_tenants_that_agree_may_be_spelled_in_other_letters():
    tenant = tenant_of(app(tenant="CONTOSO.com"), ONLINE)
    assert tenant.lower() == "contoso.com"


def test_two_tenants_that_disagree_are_refused():
    with pytest.raises(ConfigurationError) as caught:
        token_url(app(tenant="fabrikam.com"), ONLINE)
    assert str(caught.value) == (
        "The credential is for tenant 'fabrikam.com', the endpoint for 'contoso.com'. "
        "Leave the credential's tenant out: it takes the endpoint's."
    )


def test_without_a_tenant_there_is_nobody_to_ask():
    with pytest.raises(ConfigurationError) as caught:
        token_url(app(), AT_HOME)
    assert str(caught.value) == (
        "Neither the endpoint nor the credential names a tenant. "
        "Say Endpoint.cloud(tenant=...), or ClientSecret(tenant=...)."
    )


@pytest.mark.parametrize(
    "credential",
    [
        pytest.param(app(token_url="http://id.example.com/token"), id="token_url"),
        pytest.param(app(authority="http://id.example.com"), id="authority"),
    ],
)
def test_the_secret_never_travels_unencrypted(credential: ClientSecret):
    with pytest.raises(ConfigurationError) as caught:
        token_url(credential, ONLINE)
    assert str(caught.value) == (
        "The client secret would travel to id.example.com unencrypted. "
        "The token endpoint has to be https."
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: app(authority="login.example.com"), id="no scheme"),
        pytest.param(lambda: app(token_url="login.example.com/token"), id="no host"),
        pytest.param(lambda: app(token_url="https://[x"), id="half an address"),
        pytest.param(lambda: app(token_url="ftp://localhost/x"), id="not HTTP"),
    ],
)
def test_what_is_no_address_of_an_identity_provider_is_told_as_such(make: object):
    with pytest.raises(ConfigurationError) as caught:
        token_url(make(), ONLINE)
    text = str(caught.value)
    assert text.startswith("The address of the token endpoint '")
    assert text.endswith("' is none. Give it in full, from https:// on.")


@pytest.mark.parametrize("tenant", [".", ".."])
def test_a_tenant_of_dots_never_climbs(tenant: str):
    with pytest.raises(ConfigurationError):
        token_url(app(), Endpoint.at("https://bc/api/v2.0", tenant=tenant))


def test_the_form_holds_the_credential_and_the_scope_of_the_endpoint():
    asked = token_request(app(), ONLINE)
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": "hush&hush",
        "scope": "https://api.businesscentral.dynamics.com/.default",
    }
    assert asked.url == token_url(app(), ONLINE)


def test_a_scope_of_the_credential_wins():
    form = token_request(app(scope="api://x/.default"), ONLINE).form
    assert form["scope"] == "api://x/.default"


def test_graph_has_a_scope_of_its_own():
    form = token_request(app(), Endpoint.graph("contoso.com")).form
    assert form["scope"] == "https://graph.microsoft.com/.default"


def test_claims_of_a_challenge_are_passed_on():
    assert token_request(app(), ONLINE, claims='{"a":1}').form["claims"] == '{"a":1}'
    assert "claims" not in token_request(app(), ONLINE).form


def test_a_token_request_does_not_show_its_form():
    assert repr(token_request(app(), ONLINE)) == (
        "TokenRequest(url=URL('https://login.microsoftonline.com/contoso.com/"
        "oauth2/v2.0/token'))"
    )


@pytest.mark.parametrize("life", [3599, 3599.0, "3599"], ids=repr)
def test_a_token_lives_as_long_as_it_is_told(life: object):
    body = json.dumps({"access_token": "hush", "expires_in": life, "token_type": "x"})
    assert read_token(body.encode(), now=1000.0) == Token(
        "hush", expires=4599.0, issued=1000.0
    )


def test_a_token_does_not_show_itself():
    assert repr(Token("hush", 5.0)) == "Token(expires=5.0, issued=0.0)"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>hush</html>", id="a web page"),
        pytest.param(b'["hush"]', id="an array"),
        pytest.param(b'"hush"', id="a text"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"access_token": "hush"}', id="no life"),
        pytest.param(b'{"access_token": "hush", "expires_in": "hush"}', id="odd life"),
        pytest.param(b'{"access_token": "hush", "expires_in": null}', id="null life"),
        pytest.param(b'{"access_token": "hush", "expires_in": 0}', id="no time left"),
        pytest.param(b'{"access_token": "hush", "expires_in": -5}', id="past"),
        pytest.param(b'{"access_token": "hush", "expires_in": NaN}', id="no number"),
        pytest.param(b'{"access_token": "", "expires_in": 9}', id="an empty token"),
        pytest.param(b'{"access_token": null, "expires_in": 9}', id="a null token"),
        pytest.param(b'{"access_token": {"hush": 1}, "expires_in": 9}', id="an object"),
        pytest.param(
            b'{"access_token": "hush\\r\\nX: y", "expires_in": 9}', id="CR LF"
        ),
        pytest.param(b'{"access_token": "hush\xff", "expires_in": 9}', id="not UTF-8"),
        pytest.param(b'{"access_token": "hush", "expires_in', id="cut"),
        pytest.param(b"[" * 60_000, id="a tower of brackets"),
    ],
)
def test_an_answer_without_a_token_is_never_quoted(body: bytes):
    with pytest.raises(AnswerError) as caught:
        read_token(body, now=0.0)
    assert str(caught.value) == (
        "The token endpoint's answer holds no token. "
        "Check that its address is one of an OAuth 2.0 provider."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@settings(deadline=None)
@given(
    st.floats(0.0, 1e6),
    st.floats(1.0, 1e6),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_a_token_is_renewed_while_it_works_and_dropped_before_it_ends(
    issued: float, life: float, jitter: float
):
    token = Token("hush", expires=issued + life, issued=issued)
    assert issued + life * 0.49 <= token.renew_at(jitter) <= issued + life * 0.76
    assert token.renew_at(jitter) < token.ends_at() < token.expires
    assert token.expires - token.ends_at() <= 60.0 + 1e-6


CODES = [
    pytest.param("7000215", "The client secret is wrong: use its value, not its id."),
    pytest.param("7000222", "The client secret has expired: make a new one."),
    pytest.param("700016", "The client id is unknown in this tenant: check both."),
    pytest.param(
        "7000112", "The application is disabled: enable it in Microsoft Entra."
    ),
    pytest.param("90002", "The tenant is unknown: check its id or domain."),
    pytest.param(
        "53003", "A conditional access policy blocks the app: exclude it there."
    ),
    pytest.param("70011", "The scope is wrong: it usually ends in /.default."),
    pytest.param("500011", "The resource is unknown in this tenant: check the scope."),
    pytest.param("65001", "Consent is missing: an administrator has to grant it."),
    pytest.param("1", "Check tenant, client id, client secret and scope."),
]


@pytest.mark.parametrize(("number", "advice"), CODES)
def test_a_refusal_says_what_to_check(number: str, advice: str):
    words = f"AADSTS{number}: No.\r\nTrace ID: 1\r\nCorrelation ID: 2"
    body = json.dumps({"error": "invalid_client", "error_description": words})
    error = refusal(FAILED, body.encode())
    assert type(error) is AuthenticationError
    assert str(error) == (
        "The identity provider gives no token (invalid_client): "
        f"AADSTS{number}: No. {advice} "
        "[POST /contoso.com/oauth2/v2.0/token: 401 invalid_client]"
    )
    assert error.failure is not None
    assert error.failure.code == "invalid_client"


@pytest.mark.parametrize("number", ["900023", "50076", "50079"])
def test_every_known_refusal_names_a_next_step(number: str):
    body = json.dumps({"error": "x", "error_description": f"AADSTS{number}: No."})
    advice = refusal(FAILED, body.encode()).advice
    assert any(verb in advice for verb in ("check", "use", "give", "exclude"))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>no</html>", id="a web page"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"error": null, "error_description": null}', id="nulls"),
        pytest.param(b"[" * 60_000, id="a tower of brackets"),
    ],
)
def test_a_refusal_without_words_still_says_what_to_check(body: bytes):
    assert str(refusal(FAILED, body)) == (
        "The identity provider gives no token (401). "
        "Check tenant, client id, client secret and scope. "
        "[POST /contoso.com/oauth2/v2.0/token: 401]"
    )


@pytest.mark.parametrize("gap", [" ", "\r\n"], ids=["one line", "lines"])
def test_the_trace_of_a_refusal_is_told_once_and_as_a_value(gap: str):
    """Microsoft Entra puts all of it into one line nowadays."""
    guid = "5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"
    words = gap.join(
        [
            "AADSTS700016: No app.",
            f"Trace ID: {guid[::-1]}",
            f"Correlation ID: {guid}",
            "Timestamp: 2024-05-01 10:20:30Z",
        ]
    )
    body = json.dumps({"error": "unauthorized_client", "error_description": words})
    error = refusal(FAILED, body.encode())
    assert str(error) == (
        "The identity provider gives no token (unauthorized_client): AADSTS700016: No "
        "app. The client id is unknown in this tenant: check both. "
        "[POST /contoso.com/oauth2/v2.0/token: 401 unauthorized_client, "
        f"correlation id {guid}]"
    )


def test_a_refusal_of_many_words_is_cut_to_one_line():
    body = json.dumps({"error": "x" * 999, "error_description": "y" * 9999})
    text = str(refusal(FAILED, body.encode()))
    assert len(text) < 2000
    assert "\n" not in text
