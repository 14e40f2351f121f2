"""The token endpoint, and the discovery documents of Microsoft's libraries."""

import base64
import binascii
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import attrs

from bcpicture.emulator.identity import Identity
from bcpicture.emulator.reply import Reply, json_reply


@attrs.frozen
class EntraError(Exception):
    """A refusal in Entra's own form."""

    status: int
    """Status of the reply."""

    error: str
    """OAuth's name of it."""

    number: int
    """The AADSTS number."""

    description: str
    """What it says."""

    claims: str | None = attrs.field(default=None, kw_only=True)
    """Claims that a new request should carry."""


def is_entra_path(path: str) -> bool:
    """Tells whether a path belongs to the identity service."""
    return (
        path.endswith(("/oauth2/v2.0/token", "/.well-known/openid-configuration"))
        or path == "/common/discovery/instance"
    )


def answer(
    identity: Identity,
    *,
    method: str,
    path: str,
    origin: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Reply:
    """Answers a request for a token or for a document that describes the endpoints."""
    first = path.strip("/").partition("/")[0]
    if path == "/common/discovery/instance":
        return json_reply(200, _instances(origin))
    if path.endswith("openid-configuration"):
        return json_reply(200, _openid(origin, first))
    if method != "POST":
        refusal = EntraError(405, "invalid_request", 900561, "Only POST is accepted.")
        return json_reply(refusal.status, _told(refusal), _UNCACHED)
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        return json_reply(200, _issue(identity, first, form, headers), _UNCACHED)
    except EntraError as exc:
        return json_reply(exc.status, _told(exc), _UNCACHED)


_UNCACHED = (("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache"))


def _issue(
    identity: Identity,
    tenant: str,
    form: Mapping[str, str],
    headers: Mapping[str, str],
) -> dict[str, object]:
    if tenant.lower() not in identity.tenants:
        raise EntraError(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
    grant = form.get("grant_type")
    if grant != "client_credentials":
        raise EntraError(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{grant}'.",
        )
    client_id = _authenticated(identity, form, headers)
    scope, claims = form.get("scope", ""), form.get("claims")
    if scope not in identity.scopes:
        raise EntraError(
            400,
            "invalid_scope",
            70011,
            f"The provided value for the input parameter 'scope' is not valid: {scope}",
        )
    wanted = identity.conditional_access
    if wanted is not None and claims != wanted:
        raise EntraError(
            400,
            "interaction_required",
            53003,
            "Access has been blocked by Conditional Access policies.",
            claims=wanted,
        )
    seconds = identity.token_seconds
    lifetime = int(seconds) if seconds == int(seconds) else seconds
    token = identity.token(scope, client_id=client_id, tenant=tenant, claims=claims)
    return {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }


def _authenticated(
    identity: Identity, form: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _basic(encoded)
    expected = identity.apps.get(client_id)
    if expected is None:
        raise EntraError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the "
            "directory.",
        )
    if not hmac.compare_digest(expected.encode(), secret.encode()):
        raise EntraError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the "
            "request is the client secret value, not the client secret ID, for a "
            f"secret added to app '{client_id}'.",
        )
    return client_id


def _basic(encoded: str) -> tuple[str, str]:
    try:
        user, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(user), unquote(secret)


def _told(problem: EntraError) -> dict[str, object]:
    trace, correlation = uuid.uuid4(), uuid.uuid4()
    stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    told: dict[str, object] = {
        "error": problem.error,
        "error_description": f"AADSTS{problem.number}: {problem.description} "
        f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [problem.number],
        "timestamp": stamp,
        "trace_id": str(trace),
        "correlation_id": str(correlation),
    }
    if problem.claims is not None:
        told["claims"] = problem.claims
    return told


def _openid(origin: str, tenant: str) -> dict[str, object]:
    base = f"{origin}/{tenant}"
    return {
        "issuer": f"{base}/v2.0",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "client_secret_basic",
        ],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": None,
    }


def _instances(origin: str) -> dict[str, object]:
    host = origin.partition("://")[2]
    return {
        "tenant_discovery_endpoint": (
            f"{origin}/common/v2.0/.well-known/openid-configuration"
        ),
        "api-version": "1.1",
        "metadata": [
            {
                "preferred_network": host,
                "preferred_cache": host,
                "aliases": [host],
            }
        ],
    }
