"""Every address that is ever asked, as an exact text, and nothing outside of it."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core import dialects, urls
from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.errors import AnswerError, UsageError

C = "5ec0a2b1-0000-4000-8000-00000000000c"
R = "5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"
CLOUD = "https://api.businesscentral.dynamics.com"

BASES = {
    "v2.0": (
        Endpoint.cloud("contoso.com", "Production"),
        f"{CLOUD}/v2.0/contoso.com/Production/api/v2.0",
        "",
    ),
    "v1.0": (
        Endpoint.cloud("contoso.com", "Production", api="v1.0"),
        f"{CLOUD}/v2.0/contoso.com/Production/api/v1.0",
        "",
    ),
    "v2.0 on premises": (
        Endpoint.on_premises("bc", tenant="O'Neil & Sons / Ltd."),
        "https://bc:7048/BC/api/v2.0",
        "?tenant=O%27Neil%20%26%20Sons%20%2F%20Ltd.",
    ),
    "v1.0 on premises": (
        Endpoint.on_premises("bc", tenant="default", api="v1.0"),
        "https://bc:7048/BC/api/v1.0",
        "?tenant=default",
    ),
    "beta": (Endpoint.legacy(), f"{CLOUD}/v1.0/api/beta", ""),
    "graph": (
        Endpoint.graph(),
        "https://graph.microsoft.com/v1.0/businesscentral",
        "",
    ),
}

KEYED = {
    "info": f"({R})/picture",
    "content": f"({R})/picture({R})/content",
    "delete": f"({R})/picture({R})",
}
UNKEYED = {
    "info": f"({R})/picture",
    "content": f"({R})/picture/pictureContent",
    "delete": f"({R})/picture",
}
VERBS = {
    "info": urls.picture,
    "content": urls.picture_content,
    "delete": urls.picture_entity,
}
ADDRESSES = [
    pytest.param(
        endpoint,
        verb,
        parent,
        f"{base}/companies({C})/{parent.segment}{tails[verb]}{query}",
        id=f"{name}-{parent.segment}-{verb}",
    )
    for name, (endpoint, base, query) in BASES.items()
    for tails in [UNKEYED if name.startswith("v2.0") else KEYED]
    for parent in sorted(endpoint.dialect.parents, key=lambda it: it.segment)
    for verb in VERBS
]


@pytest.mark.parametrize(("endpoint", "verb", "parent", "address"), ADDRESSES)
def test_every_address_of_a_picture(
    endpoint: Endpoint, verb: str, parent: Parent, address: str
):
    assert str(VERBS[verb](endpoint, C, parent, R)) == address


def test_the_address_of_the_documentations_own_example():
    """Microsoft's pages of 2018 show it for both the beta API and Graph."""
    url = urls.picture_content(Endpoint.legacy(), C, dialects.ITEM, R)
    assert str(url) == (
        "https://api.businesscentral.dynamics.com/v1.0/api/beta/"
        f"companies({C})/items({R})/picture({R})/content"
    )


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        pytest.param("v2.0", "?$filter=a%20eq%20%27b%27", id="no query of its own"),
        pytest.param(
            "v1.0 on premises",
            "?$filter=a%20eq%20%27b%27&tenant=default",
            id="the tenant comes last",
        ),
    ],
)
def test_options_stand_beside_the_endpoints_own_query(name: str, tail: str):
    endpoint, base, _ = BASES[name]
    options = [("$filter", "a eq 'b'")]
    companies = urls.companies(endpoint, options)
    records = urls.records(endpoint, C, dialects.VENDOR, options)
    assert str(companies) == f"{base}/companies{tail}"
    assert str(records) == f"{base}/companies({C})/vendors{tail}"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(R, id="text"),
        pytest.param(R.upper(), id="upper case"),
        pytest.param(UUID(R), id="UUID"),
        pytest.param(f"{{{R}}}", id="braces"),
        pytest.param(R.replace("-", ""), id="without hyphens"),
    ],
)
def test_a_guid_is_written_as_the_service_does(value: str | UUID):
    assert urls.guid(value) == R


@settings(deadline=None)
@given(st.uuids())
def test_any_uuid_is_a_guid_and_stays_itself(value: UUID):
    assert UUID(urls.guid(value)) == UUID(urls.guid(str(value))) == value
    assert urls.is_guid(urls.guid(value))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("1896-S", id="a number"),
        pytest.param("", id="nothing"),
        pytest.param(f"{R}\n", id="a line break behind it"),
        pytest.param(f"{R})/x(", id="an attack"),
        pytest.param(5, id="an int"),
        pytest.param(None, id="None"),
        pytest.param(R.encode(), id="bytes"),
        pytest.param(" 5d115c9c44e34ea3a89a7edd8d0bfb7", id="a blank for a digit"),
        pytest.param("5d115c9c44e34ea3a89a7edd8d0b_b7d", id="an underscore for one"),
        pytest.param("\u0663d115c9c44e34ea3a89a7edd8d0bfb7d", id="an Arabic digit"),
    ],
)
def test_what_is_no_guid_is_refused_with_a_hint(value: str):
    with pytest.raises(UsageError) as caught:
        urls.guid(value, "id of an item")
    assert str(caught.value) == (
        f"{value!r} is no id of an item: a GUID is expected. "
        "A number or a name goes by keyword, such as item(number='1896-S')."
    )


@pytest.mark.parametrize("text", [R, R.upper()])
def test_a_guid_is_recognised_in_its_usual_form(text: str):
    assert urls.is_guid(text)


@pytest.mark.parametrize("text", ["", "1896-S", f"{R}x", f"{{{R}}}", f"{R}\n"])
def test_a_name_is_not_taken_for_a_guid(text: str):
    assert not urls.is_guid(text)


NEXT = "companies(c)/items?aid=FIN&$skiptoken=5d11%2B%27a%27,'b'"
ONLINE = BASES["v2.0"][0]
ONLINE_BASE = BASES["v2.0"][1]
AT_HOME = Endpoint.on_premises("bc", tenant="mine")
HOME = "https://bc:7048/BC/api/v2.0"
BEHIND = Endpoint.at("https://erp.example.com/bc", api="v2.0")
BARE = Endpoint.at("https://erp.example.com", api="v2.0")

FOLLOWED = [
    pytest.param(ONLINE, f"{ONLINE_BASE}/{NEXT}", f"{ONLINE_BASE}/{NEXT}", id="own"),
    pytest.param(
        ONLINE,
        f"http://bcserver:7048/BC/api/v2.0/{NEXT}",
        f"{ONLINE_BASE}/{NEXT}",
        id="foreign host, scheme, port and instance",
    ),
    pytest.param(
        ONLINE,
        f"{CLOUD}/v2.0/fabrikam.com/Sandbox/api/v2.0/{NEXT}",
        f"{ONLINE_BASE}/{NEXT}",
        id="another tenant's environment",
    ),
    pytest.param(
        AT_HOME,
        "https://bc:7048/bc/api/v2.0/companies?x=1",
        f"{HOME}/companies?x=1&tenant=mine",
        id="the instance in other letters",
    ),
    pytest.param(
        AT_HOME,
        f"{HOME}/companies?tenant=mine&x=1",
        f"{HOME}/companies?x=1&tenant=mine",
        id="the tenant is there",
    ),
    pytest.param(
        AT_HOME,
        f"{HOME}/companies",
        f"{HOME}/companies?tenant=mine",
        id="the tenant is missing",
    ),
    pytest.param(
        AT_HOME, "companies?x=1", f"{HOME}/companies?x=1&tenant=mine", id="relative"
    ),
    pytest.param(
        AT_HOME,
        "/BC/api/v2.0/companies",
        f"{HOME}/companies?tenant=mine",
        id="an absolute path",
    ),
    pytest.param(
        AT_HOME,
        "//evil.example.com/BC/api/v2.0/companies",
        f"{HOME}/companies?tenant=mine",
        id="a host without a scheme",
    ),
    pytest.param(
        AT_HOME,
        f"{HOME}/companies?x=1#top",
        f"{HOME}/companies?x=1&tenant=mine",
        id="a fragment",
    ),
    pytest.param(
        Endpoint.graph(),
        "https://graph.microsoft.com/v1.0/businesscentral/companies?x",
        "https://graph.microsoft.com/v1.0/businesscentral/companies?x",
        id="Graph",
    ),
    pytest.param(
        BEHIND,
        "http://bcserver:7048/BC/api/v2.0/companies?x=1",
        "https://erp.example.com/bc/companies?x=1",
        id="a proxy with a path of its own",
    ),
    pytest.param(
        BARE,
        "https://erp.example.com/companies?x=1",
        "https://erp.example.com/companies?x=1",
        id="a base without a path",
    ),
    pytest.param(
        BARE,
        "http://bcserver:7048/BC/api/v2.0/companies?x=1",
        "https://erp.example.com/companies?x=1",
        id="a base without a path, and an inner name",
    ),
    pytest.param(
        Endpoint.at("https://bc/BC/api/microsoft/automation/v2.0", api="v2.0"),
        "http://bcserver:7048/NAV/api/microsoft/automation/v2.0/companies?x=1",
        "https://bc/BC/api/microsoft/automation/v2.0/companies?x=1",
        id="a custom API, and an inner name",
    ),
    pytest.param(
        ONLINE,
        "companies?x=Größe und 1",
        f"{ONLINE_BASE}/companies?x=Gr%C3%B6%C3%9Fe%20und%201",
        id="what no address may hold",
    ),
    pytest.param(
        ONLINE,
        "companies?x=1\r\nX-Evil: 1\0",
        f"{ONLINE_BASE}/companies?x=1%0D%0AX-Evil:%201%00",
        id="CR, LF and NUL",
    ),
]


@pytest.mark.parametrize(("endpoint", "link", "address"), FOLLOWED)
def test_a_link_is_followed_at_the_configured_address(
    endpoint: Endpoint, link: str, address: str
):
    assert str(urls.follow(endpoint, link)) == address


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(f"{HOME}/companies?tenant=other&x=1", id="another tenant"),
        pytest.param(f"{HOME}/companies?Tenant=mine&x=1", id="in other letters"),
        pytest.param(f"{HOME}/companies?tenant=a&tenant=mine&x=1", id="two tenants"),
    ],
)
def test_the_tenant_of_a_link_is_always_ours_and_named_once(link: str):
    query = urls.follow(AT_HOME, link).query
    tenants = [value for name, value in query.items() if name.lower() == "tenant"]
    assert tenants == ["mine"]
    assert query["x"] == "1"


ASTRAY = (
    "The service sent a link that {how}; it was not followed. "
    "Look at the server's public address, and at what stands between."
)


@pytest.mark.parametrize(
    ("endpoint", "link"),
    [
        pytest.param(
            ONLINE, "https://login.example.com/signin?code=hush", id="elsewhere"
        ),
        pytest.param(
            ONLINE,
            f"{CLOUD}/v2.0/contoso.com/Production/ODataV4/Company",
            id="the routing version is not the API's",
        ),
        pytest.param(
            AT_HOME,
            "https://bc:7048/BC/ODataV4/Company('x')/items",
            id="another service of the same server",
        ),
        pytest.param(
            AT_HOME, "https://bc:7048/BC/api/v1.0/companies", id="another version"
        ),
        pytest.param(AT_HOME, "/evil?x", id="an absolute path outside of the API"),
    ],
)
def test_a_link_that_leads_out_of_the_api_is_not_followed(
    endpoint: Endpoint, link: str
):
    with pytest.raises(AnswerError) as caught:
        urls.follow(endpoint, link)
    assert str(caught.value) == ASTRAY.format(how="leads out of the API")


@pytest.mark.parametrize(
    "link",
    [
        f"{HOME}/../../../evil",
        f"{HOME}/companies/../../../evil",
        f"{HOME}/%2e%2E/evil",
        "../evil",
        "companies/..",
        "companies/..%2f..%2Fevil",
        "companies\\..\\..\\evil",
        f"{HOME}/companies/%2e%2e%5cevil",
        "/BC/api/v2.0/../v1.0/companies",
    ],
)
def test_no_dots_lead_out_of_the_api(link: str):
    """Windows takes a backslash for a slash, and some proxies unpack %2f."""
    with pytest.raises(AnswerError) as caught:
        urls.follow(AT_HOME, link)
    assert str(caught.value) == ASTRAY.format(how="climbs out of the API")


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("https://[::1/BC/api/v2.0/companies", id="half an address"),
        pytest.param("companies?x=\ud800", id="half a character"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_link_that_is_no_address_is_an_answer_error(link: str):
    with pytest.raises(AnswerError) as caught:
        urls.follow(AT_HOME, link)
    assert str(caught.value) == ASTRAY.format(how="is no address")


LINKS = st.tuples(
    st.sampled_from(["", "/", "//h/", "http://h/", f"{HOME}/", "BC/api/v2.0/", "x:"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(["", "/BC/api/v2.0/items", "?a=b", "#c"]),
).map("".join)


@settings(deadline=None)
@given(LINKS.filter(lambda link: ".." not in link and "%2e" not in link.lower()))
def test_no_link_leads_the_token_anywhere_else(link: str):
    try:
        url = urls.follow(AT_HOME, link)
    except AnswerError:
        return
    assert str(url).startswith(f"{HOME}/")
    assert url.origin() == AT_HOME.origin
    assert url.query.getall("tenant")
    assert str(url).isascii()
    assert not set(str(url)) & set(map(chr, range(0x21)))
