"""What faults do to a request before it is handled, and to its reply afterwards."""

import attrs
from aiohttp import hdrs

from bcpicture.emulator.faults import Fault
from bcpicture.emulator.message import CutError, Message
from bcpicture.emulator.problems import ServiceError
from bcpicture.emulator.reply import Headers, Reply, error_reply
from bcpicture.emulator.sending import gzipped_and_cut

SIGN_IN = b"""<!DOCTYPE html>
<html><head><title>Sign in to your account</title></head>
<body><form action="/login" method="post"><h1>Sign in</h1></form></body></html>
"""


async def before(exchange: Message, fault: Fault) -> Reply | None:
    """Does what a fault does in place of handling the request.

    Returns:
        The reply that the fault makes; None: the request is handled after all.

    Raises:
        CutError: the connection is to be cut.
    """
    match fault.action:
        case "status" | "html" | "redirect" | "malformed" | "endless":
            await exchange.drain()
            return made_by(fault)
        case "reset_before":
            raise CutError
        case "reset_during":
            await exchange.receive_until(fault.at)
            raise CutError
        case "reset_after":
            await exchange.receive_until(float("inf"))
            raise CutError
        case "stall":
            await exchange.stall()
        case _:
            pass
    return None


async def after(exchange: Message, fault: Fault, reply: Reply) -> Reply:
    """Does what a fault does when everything has been done.

    Raises:
        CutError: the connection is to be cut.
    """
    match fault.action:
        case "apply_then_reset":
            raise CutError
        case "apply_then_status":
            return made_by(attrs.evolve(fault, status=fault.status or 504))
        case "apply_then_stall":
            await exchange.stall()
            return reply
        case "bad_gzip":
            body = reply.blob.data or b"" if reply.blob else reply.body
            return gzipped_and_cut(reply, body)
        case "truncate_clean":
            return _shortened(reply, fault.at)
        case _:
            pass
    return attrs.evolve(reply, fault=fault)


def made_by(fault: Fault) -> Reply:
    """The reply that a fault makes out of nothing."""
    headers = _headers(fault)
    match fault.action:
        case "html" | "endless":
            return Reply(
                status=fault.status or 200,
                body=SIGN_IN,
                content_type="text/html; charset=utf-8",
                headers=headers,
                fault=fault,
                chunked=fault.action == "endless",
            )
        case "redirect":
            where = (hdrs.LOCATION, fault.message or "/elsewhere")
            return Reply(status=fault.status or 302, headers=(*headers, where))
        case "malformed":
            return Reply(status=200, fault=fault)
        case _:
            pass
    status = fault.status or 500
    told = fault.message or f"Something went wrong on purpose ({status})."
    problem = ServiceError(
        status, attrs.evolve(fault, status=status).error_code, told, headers=headers
    )
    return error_reply(problem)


def _headers(fault: Fault) -> Headers:
    headers = fault.headers
    if fault.retry_after is not None:
        headers = (*headers, (hdrs.RETRY_AFTER, fault.retry_after))
    challenged = any(name.lower() == "www-authenticate" for name, _ in headers)
    if fault.status == 401 and not challenged:
        headers = (*headers, (hdrs.WWW_AUTHENTICATE, 'Bearer realm=""'))
    return headers


def _shortened(reply: Reply, at: int) -> Reply:
    if reply.blob is None:
        return attrs.evolve(reply, body=reply.body[:at])
    return attrs.evolve(reply, stop=min(at, reply.blob.size))
