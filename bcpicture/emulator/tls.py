"""A certificate authority made on the spot, for clients that refuse plain http."""

import ssl
from pathlib import Path

import attrs


@attrs.frozen
class TrustmeMissingError(ImportError):
    """TLS was asked for, and the library that makes certificates is not installed."""

    def __str__(self) -> str:
        return 'TLS needs trustme: pip install "bcpicture[emulator]"'


def make_context(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """Makes a certificate for a host; for a thread.

    Args:
        folder: Where the authority's certificate is written to.
        host: What clients connect to, beside loopback's names.

    Returns:
        The server's side, and the file that clients must trust.
    """
    try:
        import trustme
    except ImportError:
        raise TrustmeMissingError from None
    authority = trustme.CA(organization_name="bcpicture emulator")
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", host or "localhost"])
    certificate = authority.issue_cert(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path
