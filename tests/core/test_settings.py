"""Settings: which of them win, what they amount to, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bcpicture.core.credentials import BasicKey, ClientSecret, StaticToken
from bcpicture.core.layers import resolve
from bcpicture.core.settings import NAMES, Settings, variable
from bcpicture.errors import ConfigurationError

URL = "https://bc.example.com/v2.0/Production/api/v2.0"
APP = {"BCPICTURE_CLIENT_ID": "app", "BCPICTURE_CLIENT_SECRET": "hush"}


def found(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    **connection: object,
) -> Settings:
    file = {"connection": connection} if connection else {}
    return resolve(flags or {}, environ or {}, file, file_name="bc.toml")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_variable(name: str):
    settings = found(environ={f"BCPICTURE_{name.upper()}": "7"})
    assert settings.get(name) == "7"
    assert settings.found[name].origin == variable(name)


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file():
    flags, environ = {"company": "F"}, {"BCPICTURE_COMPANY": "V"}
    assert found(flags, environ, company="T").company == "F"
    assert found({"company": None}, environ, company="T").company == "V"
    assert found(company="T").company == "T"
    assert found().company is None


def test_a_variable_that_is_set_to_nothing_is_not_set():
    assert found(environ={"BCPICTURE_URL": ""}, url=URL).get("url") == URL


@pytest.mark.parametrize(
    ("environ", "base", "tenant"),
    [
        pytest.param({"URL": URL, "TENANT": "t"}, URL, "t", id="any address"),
        pytest.param(
            {"URL": "https://bc.example.com/x", "API": "v1.0"},
            "https://bc.example.com/x",
            None,
            id="an address that does not tell its version",
        ),
        pytest.param(
            {"TENANT": "contoso.com", "ENVIRONMENT": "Sandbox"},
            "https://api.businesscentral.dynamics.com"
            "/v2.0/contoso.com/Sandbox/api/v2.0",
            "contoso.com",
            id="the online service",
        ),
        pytest.param(
            {"ENVIRONMENT": "Sandbox", "API": "v1.0"},
            "https://api.businesscentral.dynamics.com/v2.0/Sandbox/api/v1.0",
            None,
            id="the online service without a tenant",
        ),
        pytest.param(
            {"HOST": "nav", "PORT": "8048", "INSTANCE": "BC230", "PLAIN_HTTP": "Yes"},
            "http://nav:8048/BC230/api/v2.0",
            None,
            id="a server of one's own",
        ),
        pytest.param(
            {"HOST": "nav"}, "https://nav:7048/BC/api/v2.0", None, id="its defaults"
        ),
        pytest.param(
            {"URL": "http://nav/BC/api/v2.0", "PLAIN_HTTP": "1"},
            "http://nav/BC/api/v2.0",
            None,
            id="an address without encryption",
        ),
    ],
)
def test_settings_make_an_endpoint(
    environ: dict[str, str], base: str, tenant: str | None
):
    environ = {f"BCPICTURE_{name}": value for name, value in environ.items()}
    endpoint = found(environ=environ).endpoint()
    assert str(endpoint.base) == base
    assert endpoint.tenant == tenant


def test_a_database_tenant_travels_in_the_query():
    settings = found(host="nav", tenant="default")
    assert settings.endpoint().query == (("tenant", "default"),)


@pytest.mark.parametrize(
    ("environ", "credential"),
    [
        pytest.param(
            {"CLIENT_ID": "a", "CLIENT_SECRET": "s", "TENANT": "t"},
            ClientSecret(client_id="a", client_secret="s"),
            id="an app",
        ),
        pytest.param(
            {
                "CLIENT_ID": "a",
                "CLIENT_SECRET": "s",
                "TOKEN_URL": "https://x/token",
                "AUTHORITY": "https://x",
                "SCOPE": "y",
            },
            ClientSecret(
                client_id="a",
                client_secret="s",
                token_url="https://x/token",
                authority="https://x",
                scope="y",
            ),
            id="an app elsewhere",
        ),
        pytest.param({"TOKEN": "t"}, StaticToken("t"), id="a token"),
        pytest.param({"USER": "u", "KEY": "k"}, BasicKey("u", "k"), id="a user"),
    ],
)
def test_settings_make_a_credential(environ: dict[str, str], credential: object):
    environ = {f"BCPICTURE_{name}": value for name, value in environ.items()}
    assert found(environ=environ).credential() == credential


def test_a_higher_place_decides_which_business_central_is_meant():
    environ = {"BCPICTURE_ENVIRONMENT": "Sandbox"}
    assert "environment" not in found({"url": URL}, environ).found
    assert str(found({"url": URL}, environ).endpoint().base) == URL
    assert "Sandbox" in str(found({}, environ, url=URL).endpoint().base)


def test_a_higher_place_decides_who_asks():
    flags = {"token_file": "token.txt"}
    settings = found(flags, APP).with_secret("token", "t\n", "token.txt")
    assert settings.credential() == StaticToken("t")


def test_a_higher_place_decides_where_the_secret_is():
    assert found(environ=APP, client_secret_file="x").secret_files() == {}
    files = found({"client_secret_file": "x"}, APP).secret_files()
    assert {name: path.value for name, path in files.items()} == {"client_secret": "x"}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("hush\n", "hush", id="with a line break"),
        pytest.param("hush\r\n", "hush", id="with a Windows line break"),
        pytest.param("\ufeffhush", "hush", id="with a byte order mark"),
    ],
)
def test_a_secret_is_taken_out_of_its_file(text: str, secret: str):
    settings = found({"client_secret_file": "x", "client_id": "a", "tenant": "t"})
    settings = settings.with_secret("client_secret", text, "x")
    assert settings.credential().client_secret == secret
    assert settings.secret_files() == {}


@pytest.mark.parametrize(
    "text", ["", "\n", " ", "two\nlines", "two\u2028lines"], ids=ascii
)
def test_what_is_no_secret_is_refused_and_not_repeated(text: str):
    with pytest.raises(ConfigurationError) as caught:
        found().with_secret("client_secret", text, "secret.txt")
    assert str(caught.value) == (
        "The client secret from secret.txt is empty, or more than one line. "
        "Put the bare secret there, and nothing else."
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(
            lambda: found(ulr=URL),
            'There is no setting "ulr" (in bc.toml). Did you mean "url"?',
            id="a slip",
        ),
        pytest.param(
            lambda: resolve({}, {}, {"conection": {}}),
            'There is no setting "conection" (in the settings file). '
            'Did you mean "connection"?',
            id="a slip in the table's name",
        ),
        pytest.param(
            lambda: resolve({}, {}, {"connection": 1}, file_name="bc.toml"),
            "In bc.toml, connection is no table. Write [connection] above it.",
            id="no table",
        ),
        pytest.param(
            lambda: found(url=[URL]),
            "In bc.toml, url is neither text, number, nor true or false. "
            'Write it as url = "…".',
            id="a list",
        ),
        pytest.param(
            lambda: found(client_secret="hush"),
            "The client secret is in bc.toml, which tends to be copied and shared. "
            "Put it into a file of its own and name that with client_secret_file, "
            "or set BCPICTURE_CLIENT_SECRET.",
            id="a secret in the file",
        ),
        pytest.param(
            lambda: found({"key": "hush"}),
            "The key is in a flag, where every user of the machine can read it. "
            "Put it into a file of its own and name that with key_file, "
            "or set BCPICTURE_KEY.",
            id="a secret in a flag",
        ),
        pytest.param(
            lambda: found({"url": URL, "host": "nav"}),
            "These contradict each other: --url, --host. "
            "Take all but one kind of them away.",
            id="two places",
        ),
        pytest.param(
            lambda: found(environ={**APP, "BCPICTURE_TOKEN": "t"}),
            "These contradict each other: BCPICTURE_CLIENT_ID, "
            "BCPICTURE_CLIENT_SECRET, BCPICTURE_TOKEN. "
            "Take all but one kind of them away.",
            id="two principals",
        ),
        pytest.param(
            lambda: found(environ={"BCPICTURE_KEY": "k", "BCPICTURE_KEY_FILE": "f"}),
            "These contradict each other: BCPICTURE_KEY, BCPICTURE_KEY_FILE. "
            "Take all but one kind of them away.",
            id="one secret twice",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: Callable[[], object], sentence: str):
    with pytest.raises(ConfigurationError) as caught:
        settings()
    assert str(caught.value) == sentence
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(
            found(),
            "No Business Central is named. Set BCPICTURE_TENANT and "
            "BCPICTURE_ENVIRONMENT for the online service, BCPICTURE_HOST for a "
            "server of your own, or BCPICTURE_URL for any address.",
            id="nothing",
        ),
        pytest.param(
            found({"tenant": "t"}),
            "The tenant is set, the environment is not. "
            "Set BCPICTURE_ENVIRONMENT, to Production for example.",
            id="a tenant alone",
        ),
        pytest.param(
            found({"port": 7048}),
            "There is a port, says --port, but no host. "
            "Set BCPICTURE_HOST, or take the other away.",
            id="a port alone",
        ),
        pytest.param(
            found(host="nav", port="http"),
            "The port is 'http', says port in bc.toml. "
            "It must be a number from 1 to 65535.",
            id="a port that is none",
        ),
        pytest.param(
            found(host="nav", plain_http="maybe"),
            "The permission for plain http is 'maybe', says plain_http in bc.toml. "
            "It must be true or false.",
            id="neither true nor false",
        ),
    ],
)
def test_an_endpoint_that_cannot_be_made_says_what_to_set(
    settings: Settings, sentence: str
):
    with pytest.raises(ConfigurationError) as caught:
        settings.endpoint()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        pytest.param(
            {}, "No credential is set. Set BCPICTURE_CLIENT_ID and ", id="none"
        ),
        pytest.param(
            {"CLIENT_ID": "a"},
            "The client secret is missing. Set BCPICTURE_CLIENT_SECRET (or the same "
            "with _FILE, for a file's path).",
            id="an app without a secret",
        ),
        pytest.param(
            {"CLIENT_SECRET": "s"},
            "The client id is missing. Set BCPICTURE_CLIENT_ID.",
            id="a secret without an app",
        ),
        pytest.param(
            {"CLIENT_ID": "a", "CLIENT_SECRET": "s"},
            "The tenant is missing. Set BCPICTURE_TENANT.",
            id="an app without a tenant",
        ),
        pytest.param(
            {"HOST": "nav", "TENANT": "t", "CLIENT_ID": "a", "CLIENT_SECRET": "s"},
            "The address of the token endpoint is missing. Set BCPICTURE_TOKEN_URL.",
            id="an app and a database tenant",
        ),
        pytest.param(
            {"KEY": "k"},
            "The user is missing. Set BCPICTURE_USER.",
            id="a key without a user",
        ),
    ],
)
def test_a_credential_that_cannot_be_made_says_what_to_set(
    environ: dict[str, str], sentence: str
):
    environ = {f"BCPICTURE_{name}": value for name, value in environ.items()}
    with pytest.raises(ConfigurationError) as caught:
        found(environ=environ).credential()
    assert str(caught.value).startswith(sentence)


def test_no_value_shows_in_the_repr():
    assert "hush" not in repr(found(environ=APP))
