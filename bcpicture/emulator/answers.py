"""One switch for every question that no public source answers about the service.

Each field is a question, its values are the possible answers, its default the most
plausible one. A client that passes its tests with every answer does not depend on any.
"""

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Answers:
    """How the emulator answers where Microsoft's documents and tests are silent."""

    etag_covers_bytes: bool = False
    """Whether a replacement of the same size and type changes the picture's etag."""

    stale: Literal[409, 412] = 409
    """The status for an ``If-Match`` that is out of date."""

    delete_without_if_match: Literal["accepted", "refused"] = "accepted"
    """A DELETE that says nothing about the version that it means."""

    delete_of_nothing: Literal[204, 404] = 204
    """A DELETE where there is no picture."""

    unknown_parent: Literal[404, 400] = 404
    """A picture below a GUID that nobody has."""

    silent_unknown_upload: bool = False
    """API v2.0: an upload to an unknown GUID says 204, and nothing is stored."""

    content_type: Literal["jpeg", "sniffed", "empty"] = "jpeg"
    """What the metadata call a picture; ``jpeg`` whatever the bytes are."""

    undecodable: Literal["zeros", "refused"] = "zeros"
    """Bytes that are no picture: stored with width and height 0, or refused."""

    content_header: Literal["jpeg", "sniffed", "octet-stream", "absent"] = "jpeg"
    """The ``Content-Type`` of the bytes."""

    content_length: bool = True
    """Whether the bytes come with a ``Content-Length``, or chunked."""

    content_etag: bool = False
    """Whether the bytes come with an ``ETag`` header."""

    ranges: bool = False
    """Whether ``Range`` is honoured."""

    chunked_upload: Literal["accepted", 411, 400] = "accepted"
    """An upload without a ``Content-Length``."""

    retry_after_on_429: bool = False
    """Whether the quota's 429 tells the seconds to wait."""

    put: Literal[405, 204] = 405
    """PUT in place of PATCH on the stream."""

    content_value_in_batch: bool = False
    """Whether ``$batch`` takes a picture as ``contentValue``, in base64."""

    batch_too_long: Literal[400, 413] = 400
    """The status of a batch of more than 100 requests."""

    batch_stops: bool = True
    """Whether a batch ends at its first failure, unless the client prefers
    ``odata.continue-on-error``."""

    permission_first: bool = True
    """Whether a missing permission shows before an ``If-Match`` is looked at."""

    web_service_url: Literal["host", "api"] = "host"
    """What the list of environments calls an environment's ``webServiceUrl``."""

    variant_parent_type: str = "Item_x0020_Variant"
    """How ``parentType`` spells the item variants."""

    upload_reply: Literal[204, 200] = 204
    """Nothing, or the picture object of the oldest documentation page."""
