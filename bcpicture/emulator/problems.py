"""The service's errors: a status, a code, a sentence."""

import attrs


@attrs.frozen
class ServiceError(Exception):
    """Something that is answered with the error envelope."""

    status: int
    """Status of the reply."""

    code: str
    """The service's own code."""

    message: str
    """What it says, without the correlation id."""

    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), kw_only=True)
    """More headers for the reply."""

    bare: bool = attrs.field(default=False, kw_only=True)
    """Answered with an empty body in place of the envelope."""

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


def bad_request(message: str, code: str = "BadRequest") -> ServiceError:
    """A request that is malformed."""
    return ServiceError(400, code, message)


def syntax_error(at: int, text: str) -> ServiceError:
    """A query option that does not parse."""
    return bad_request(f"Syntax error at position {at} in '{text}'.")


def unknown_property(name: str, kind: str) -> ServiceError:
    """A field that the entity does not have."""
    of_type = f"on type 'Microsoft.NAV.{kind}'"
    return bad_request(f"Could not find a property named '{name}' {of_type}.")


def not_supported(what: str) -> ServiceError:
    """Something that the emulator does not do: never a wrong result instead."""
    return ServiceError(
        501,
        "BadRequest_MethodNotImplemented",
        f"The emulator does not support {what}.",
    )


def or_on_distinct_fields() -> ServiceError:
    """The documented limit of ``or``."""
    return ServiceError(
        501,
        "BadRequest_MethodNotImplemented",
        "The 'OR' operator is not supported on distinct fields on an OData filter.",
    )


def no_segment(segment: str) -> ServiceError:
    """A path that leads nowhere."""
    return ServiceError(
        404,
        "BadRequest_ResourceNotFound",
        f"Resource not found for the segment '{segment}'.",
    )


def no_route(target: str) -> ServiceError:
    """An API version that the server does not have."""
    return ServiceError(
        404,
        "BadRequest_NotFound",
        f"No HTTP resource was found that matches the request URI '{target}'.",
    )


def no_environment() -> ServiceError:
    """An environment that the tenant does not have."""
    return ServiceError(404, "NoEnvironment", "Environment does not exist.")


def query_syntax() -> ServiceError:
    """A key where a single-valued navigation takes none."""
    return bad_request("Bad Request - Error in query syntax", "BadRequest_NotFound")


def no_company() -> ServiceError:
    """A company that does not exist."""
    return ServiceError(
        404,
        "Internal_CompanyNotFound",
        "The server could not find the specified company.",
    )


def no_record(status: int = 404) -> ServiceError:
    """A key that nobody has."""
    if status == 400:
        return bad_request(
            "No resource with the specified ID exists.", "Application_DialogException"
        )
    return ServiceError(
        404,
        "BadRequest_ResourceNotFound",
        "The requested resource could not be found.",
    )


def invalid_token() -> ServiceError:
    """An ``If-Match`` that is missing or malformed."""
    return bad_request(
        "Could not validate the client concurrency token required by the service. "
        "Please provide a valid token in the client request.",
        "BadRequest_InvalidToken",
    )


def changed(status: int) -> ServiceError:
    """An ``If-Match`` that is out of date."""
    return ServiceError(
        status,
        "Request_EntityChanged",
        "Another user has already changed the record.",
    )


def not_allowed(method: str, name: str, edm_type: str) -> ServiceError:
    """A verb that the resource refuses."""
    return ServiceError(
        405,
        "BadRequest_MethodNotAllowed",
        f"'{method}' requests for '{name}' of EdmType '{edm_type}' are not allowed "
        "within Dynamics 365 Business Central OData web services.",
    )


def unauthorized(message: str, challenge: str) -> ServiceError:
    """A token or key that is not accepted."""
    return ServiceError(
        401,
        "Authentication_InvalidCredentials",
        message,
        headers=(("WWW-Authenticate", challenge),),
    )


def forbidden(deed: str) -> ServiceError:
    """Somebody who lacks a permission set."""
    return ServiceError(
        403,
        "Authorization_RequestDenied",
        f"You do not have the permissions that it takes to {deed}.",
    )


def too_large(limit: int) -> ServiceError:
    """A body above the limit."""
    return ServiceError(
        413,
        "RequestEntityTooLarge",
        f"The request body is larger than the {limit} bytes that are allowed.",
    )
