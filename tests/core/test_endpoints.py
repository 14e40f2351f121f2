"""Every address form of Business Central, and none by which a secret could leak."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.addresses import candidates, is_loopback
from bcpicture.core.dialects import BETA, DIALECTS, GRAPH, V1, V2
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.quota import CLOUD, SELF_HOSTED, Quota
from bcpicture.errors import ConfigurationError, UsageError

GUID = "3b4a6ec5-7f4f-4b4a-9d44-1a2b3c4d5e6f"
ONEIL = "O'Neil & Sons / Ltd."
HOST = "https://api.businesscentral.dynamics.com"
HINT = "Give it in full, such as https://bc.example.com:7048/BC/api/v2.0."

FORMS = [
    pytest.param(
        Endpoint.cloud(),
        f"{HOST}/v2.0/Production/api/v2.0/companies",
        id="the common address",
    ),
    pytest.param(
        Endpoint.cloud(environment="Sandbox 1"),
        f"{HOST}/v2.0/Sandbox%201/api/v2.0/companies",
        id="another environment",
    ),
    pytest.param(
        Endpoint.cloud("contoso.com", "Production"),
        f"{HOST}/v2.0/contoso.com/Production/api/v2.0/companies",
        id="tenant as a domain",
    ),
    pytest.param(
        Endpoint.cloud(GUID, "Production", api="v1.0"),
        f"{HOST}/v2.0/{GUID}/Production/api/v1.0/companies",
        id="API v1.0 behind routing v2.0",
    ),
    pytest.param(
        Endpoint.cloud("contoso.com", ONEIL),
        f"{HOST}/v2.0/contoso.com/O%27Neil%20%26%20Sons%20%2F%20Ltd./api/v2.0/companies",
        id="a name with everything in it",
    ),
    pytest.param(
        Endpoint.cloud("t", "e", host="https://wiise.api.bc.dynamics.com/"),
        "https://wiise.api.bc.dynamics.com/v2.0/t/e/api/v2.0/companies",
        id="embed app",
    ),
    pytest.param(
        Endpoint.on_premises("bc.example.com"),
        "https://bc.example.com:7048/BC/api/v2.0/companies",
        id="on premises",
    ),
    pytest.param(
        Endpoint.on_premises("bc.example.com", port=443, instance="BC230", api="v1.0"),
        "https://bc.example.com/BC230/api/v1.0/companies",
        id="port and instance",
    ),
    pytest.param(
        Endpoint.on_premises("bc.example.com", instance=ONEIL, tenant=ONEIL),
        "https://bc.example.com:7048/O%27Neil%20%26%20Sons%20%2F%20Ltd./api/v2.0/companies"
        "?tenant=O%27Neil%20%26%20Sons%20%2F%20Ltd.",
        id="instance and database tenant with everything in them",
    ),
    pytest.param(
        Endpoint.on_premises("::1", plain_http=True, api="beta"),
        "http://[::1]:7048/BC/api/beta/companies",
        id="IPv6, a container without TLS",
    ),
    pytest.param(
        Endpoint.legacy(), f"{HOST}/v1.0/api/beta/companies", id="the page of 2018"
    ),
    pytest.param(
        Endpoint.graph(),
        "https://graph.microsoft.com/v1.0/businesscentral/companies",
        id="Graph",
    ),
    pytest.param(
        Endpoint.at("https://bc.example.com/x/api/v2.0/?tenant=a%20b&z=1"),
        "https://bc.example.com/x/api/v2.0/companies?tenant=a%20b&z=1",
        id="any address, its query kept",
    ),
    pytest.param(
        Endpoint.at("https://bc.example.com/api/microsoft/automation/v2.0", api="v2.0"),
        "https://bc.example.com/api/microsoft/automation/v2.0/companies",
        id="an address that does not tell",
    ),
    pytest.param(
        Endpoint.at("https://bc.example.com", api="v2.0"),
        "https://bc.example.com/companies",
        id="nothing but a host",
    ),
    pytest.param(
        Endpoint.at(URL(f"{HOST}/v1.0/contoso.com/sandbox/api/v1.0")),
        f"{HOST}/v1.0/contoso.com/sandbox/api/v1.0/companies",
        id="legacy routing",
    ),
]


@pytest.mark.parametrize(("endpoint", "companies"), FORMS)
def test_every_address_form(endpoint: Endpoint, companies: str):
    assert str(urls.companies(endpoint)) == companies


@pytest.mark.parametrize(("endpoint", "companies"), FORMS)
def test_an_endpoint_is_a_value(endpoint: Endpoint, companies: str):
    """Equal, hashable, told in one line, and the same after pickling."""
    for twin in (copy.deepcopy(endpoint), pickle.loads(pickle.dumps(endpoint))):
        assert twin == endpoint
        assert hash(twin) == hash(endpoint)
        assert str(urls.companies(twin)) == companies
    assert "\n" not in repr(endpoint)
    assert f"dialect={endpoint.dialect.name}" in repr(endpoint)


@pytest.mark.parametrize(
    ("address", "dialect"),
    [
        pytest.param(f"{HOST}/v2.0/Production/api/v2.0", V2, id="v2.0"),
        pytest.param(f"{HOST}/v2.0/Production/api/v1.0", V1, id="v1.0"),
        pytest.param(f"{HOST}/v1.0/api/beta/", BETA, id="beta"),
        pytest.param(
            "https://graph.microsoft.com/v1.0/businesscentral", GRAPH, id="Graph"
        ),
        pytest.param(
            "https://graph.microsoft.com/beta/financials", GRAPH, id="Graph's beta"
        ),
    ],
)
def test_the_end_of_an_address_tells_the_api_version(address: str, dialect: object):
    endpoint = Endpoint.at(address)
    assert endpoint.dialect is dialect
    assert endpoint.scope == endpoint.dialect.scope


def test_the_factories_know_their_dialect_and_tenant():
    assert Endpoint.legacy("contoso.com").tenant == "contoso.com"
    assert Endpoint.legacy().dialect is BETA
    assert Endpoint.graph("contoso.com").tenant == "contoso.com"
    assert Endpoint.graph().dialect is GRAPH
    assert Endpoint.cloud("contoso.com").tenant == "contoso.com"
    assert Endpoint.on_premises("bc", tenant="db").tenant is None


def test_a_scope_of_ones_own_wins_over_the_dialects():
    endpoint = Endpoint.at("https://bc/api/v2.0", scope="api://x/.default")
    assert endpoint.scope == "api://x/.default"


def test_the_online_quota_holds_online_and_the_servers_own_elsewhere():
    assert Endpoint.cloud().quota == CLOUD
    assert Endpoint.graph().quota == CLOUD
    assert Endpoint.on_premises("bc").quota == SELF_HOSTED
    assert Endpoint.at("https://bc/api/v2.0").quota == SELF_HOSTED
    assert Endpoint.at("https://b/api/v2.0", quota=Quota(concurrent=9)).quota == Quota(
        concurrent=9
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(
            Endpoint.cloud("t", "e"), Endpoint.cloud("t", "e", api="v1.0"), True
        ),
        pytest.param(Endpoint.cloud("t", "e"), Endpoint.cloud("t", "f"), False),
        pytest.param(
            Endpoint.on_premises("bc"), Endpoint.on_premises("bc", port=1), False
        ),
        pytest.param(
            Endpoint.at("https://bc/BC/api/v2.0"),
            Endpoint.at("https://bc/BC/api/x/y/v2.0", api="v2.0"),
            True,
        ),
    ],
)
def test_a_quota_is_for_an_environment_whatever_the_api_version(
    one: Endpoint, other: Endpoint, *, same: bool
):
    assert (one.environment == other.environment) is same


def test_the_origin_is_where_the_token_may_go():
    endpoint = Endpoint.on_premises("bc.example.com", tenant="x")
    assert endpoint.origin == URL("https://bc.example.com:7048")


REFUSED = [
    pytest.param(
        lambda: Endpoint.at("bc.example.com/api/v2.0"),
        f"The address 'bc.example.com/api/v2.0' has no scheme or host. {HINT}",
        id="no scheme",
    ),
    pytest.param(
        lambda: Endpoint.at("ftp://bc.example.com/api/v2.0"),
        f"The address 'ftp://bc.example.com/api/v2.0' has no scheme or host. {HINT}",
        id="not HTTP",
    ),
    pytest.param(
        lambda: Endpoint.at("https:///api/v2.0"),
        f"The address 'https:///api/v2.0' has no scheme or host. {HINT}",
        id="no host",
    ),
    pytest.param(
        lambda: Endpoint.at("https://[bc/api/v2.0"),
        "The address 'https://[bc/api/v2.0' cannot be read: Invalid IPv6 URL. " + HINT,
        id="no address at all",
    ),
    pytest.param(
        lambda: Endpoint.at("https://me:hush@bc/api/v2.0"),
        "The address holds a user, a password or a fragment. "
        "Hand credentials over separately, as BasicKey(user, key).",
        id="a password",
    ),
    pytest.param(
        lambda: Endpoint.at("https://bc/api/v2.0#top"),
        "The address holds a user, a password or a fragment. "
        "Hand credentials over separately, as BasicKey(user, key).",
        id="a fragment",
    ),
    pytest.param(
        lambda: Endpoint.at("https://bc/api/x/y/v9.0"),
        "The address 'https://bc/api/x/y/v9.0' does not tell its API version. "
        "Let it end in /api/v2.0 (or /api/v1.0, /api/beta), or say api='v2.0'.",
        id="an unknown tail",
    ),
    pytest.param(
        lambda: Endpoint.at("https://bc/api/v1.0", api="v2.0"),
        "The address ends in the API version v1.0, yet v2.0 is asked for. "
        "Change one of the two.",
        id="two versions",
    ),
    pytest.param(
        lambda: Endpoint.at("https://bc/x", api="v3.0"),
        "There is no API version 'v3.0'. The versions are: v2.0, v1.0, beta, graph.",
        id="an unknown version",
    ),
    *(
        pytest.param(
            lambda api=api: Endpoint.cloud("t", "e", api=api),
            f"The online service has no API {api!r}. "
            "It has v2.0, and v1.0 in older versions.",
            id=f"{api} online",
        )
        for api in ("v3.0", "beta", "graph")
    ),
    pytest.param(
        lambda: Endpoint.cloud("t", "e", host="https://x.api.bc.dynamics.com/?x=y"),
        "The host has a query. Give scheme and host alone.",
        id="a host with a query",
    ),
    pytest.param(
        lambda: Endpoint.cloud("t", ""),
        "The environment is ''. Give the environment its real name.",
        id="no environment",
    ),
    pytest.param(
        lambda: Endpoint.cloud("t", ".."),
        "The environment is '..'. Give the environment its real name.",
        id="dots for an environment",
    ),
    pytest.param(
        lambda: Endpoint.on_premises("bc", instance="."),
        "The instance is '.'. Give the instance its real name.",
        id="a dot for an instance",
    ),
    pytest.param(
        lambda: Endpoint.at("http://bc.example.com/api/v2.0"),
        "Credentials would travel to bc.example.com unencrypted. "
        "Use https, or say plain_http=True if the network is yours.",
        id="plain http",
    ),
]


@pytest.mark.parametrize(("make", "text"), REFUSED)
def test_a_wrong_address_is_refused_with_the_next_step(make: object, text: str):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == text


def test_the_password_in_an_address_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.at("https://me:hush@bc/api/v2.0")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        pytest.param("bc/evil", 7048, id="a path"),
        pytest.param("bc:80", 7048, id="a port"),
        pytest.param("me@bc", 7048, id="a user"),
        pytest.param("", 7048, id="nothing"),
        pytest.param("https://bc", 7048, id="a scheme"),
        pytest.param("a b", 7048, id="a blank"),
        pytest.param("bc?x", 7048, id="a query"),
        pytest.param("bc", 0, id="no port"),
        pytest.param("bc", -1, id="a negative port"),
        pytest.param("bc", 65536, id="a port beyond the last one"),
        pytest.param("bc", "7048", id="a port as text"),
    ],
)
def test_a_host_is_a_bare_name_and_a_port_a_number(host: str, port: int):
    with pytest.raises(ConfigurationError) as caught:
        Endpoint.on_premises(host, port=port)
    assert str(caught.value) == (
        f"The host {host!r} with port {port!r} is no address. "
        "Give the bare name, such as bc.example.com, and 1 to 65535."
    )


def test_a_control_character_in_the_host_is_told_as_such():
    with pytest.raises(UsageError) as caught:
        Endpoint.on_premises("bc\r\n")
    assert str(caught.value).startswith("The host has a control character (U+000D)")


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\0b"], ids=["CR", "LF", "NUL"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda it: Endpoint.cloud(it, "e"), id="tenant"),
        pytest.param(lambda it: Endpoint.cloud("t", it), id="environment"),
        pytest.param(lambda it: Endpoint.cloud("t", "e", api=it), id="api"),
        pytest.param(lambda it: Endpoint.cloud("t", "e", host=it), id="host"),
        pytest.param(lambda it: Endpoint.on_premises("b", instance=it), id="instance"),
        pytest.param(lambda it: Endpoint.on_premises("b", tenant=it), id="db tenant"),
        pytest.param(lambda it: Endpoint.at(f"https://{it}/api/v2.0"), id="address"),
    ],
)
def test_control_characters_are_refused_everywhere(make: object, text: str):
    with pytest.raises(UsageError) as caught:
        make(text)
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST"]
)
def test_plain_http_is_fine_on_this_very_machine(host: str):
    assert Endpoint.at(f"http://{host}:7048/BC/api/v2.0").base.scheme == "http"


@pytest.mark.parametrize(
    "host",
    [
        "bc.example.com",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "[2001:db8::1]",
        "127.1",
    ],
)
def test_plain_http_to_another_machine_has_to_be_wanted(host: str):
    address = f"HTTP://{host}:7048/BC/api/v2.0"
    with pytest.raises(ConfigurationError, match="unencrypted"):
        Endpoint.at(address)
    assert Endpoint.at(address, plain_http=True).plain_http


def test_changing_an_endpoint_asks_the_same_questions():
    secure = Endpoint.at("https://bc.example.com/api/v2.0")
    with pytest.raises(ConfigurationError, match="unencrypted"):
        attrs.evolve(secure, base=URL("http://bc.example.com/api/v2.0"))
    moved = attrs.evolve(secure, base=URL("https://b.example.com/api/v2.0"))
    assert str(urls.companies(moved)) == "https://b.example.com/api/v2.0/companies"


@pytest.mark.parametrize("host", [None, "", "bc", "::", "256.0.0.1"])
def test_what_is_not_surely_this_machine_is_another_one(host: str | None):
    assert not is_loopback(host)


NAME = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda name: name not in {".", ".."}
)


@settings(deadline=None)
@given(NAME, NAME, st.sampled_from(["v2.0", "v1.0"]))
def test_any_name_stays_one_segment_of_the_address(tenant: str, name: str, api: str):
    endpoint = Endpoint.cloud(tenant, name, api=api)
    expected = ("/", "v2.0", tenant, name, "api", api, "companies")
    assert urls.companies(endpoint).parts == expected
    assert endpoint.dialect is DIALECTS[api]


def test_detection_without_the_floors_above_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(Endpoint, "detector", None)
    with pytest.raises(ConfigurationError, match="Import bcpicture"):
        Endpoint.detect("https://bc.example.com/BC")


@pytest.mark.parametrize(
    ("url", "places"),
    [
        pytest.param("https://bc/BC", "https://bc/BC", id="instance"),
        pytest.param("https://bc:7048/BC/api/", "https://bc:7048/BC", id="api"),
        pytest.param("https://bc/BC/api/v1.0", "https://bc/BC", id="version"),
        pytest.param("https://bc/BC/api/me/mine/v9", "https://bc/BC", id="custom"),
        pytest.param("https://bc", "https://bc", id="host"),
        pytest.param("https://bc/apix", "https://bc/apix", id="like api"),
    ],
)
def test_where_the_standard_apis_would_be(url: str, places: str):
    assert candidates(url) == [f"{places}/api/v2.0", f"{places}/api/v1.0"]
    query = f"{url}?tenant=a%20b"
    assert candidates(query)[0] == f"{places}/api/v2.0?tenant=a%20b"
