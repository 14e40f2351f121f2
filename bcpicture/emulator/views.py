"""A picture as the API shows it, in each of its versions."""

from bcpicture.emulator import catalog
from bcpicture.emulator.images import UNKNOWN
from bcpicture.emulator.records import Record
from bcpicture.emulator.service import Call


def picture_json(
    call: Call, record: Record, select: frozenset[str] | None = None
) -> dict[str, object]:
    """The metadata of a picture, which is there even when the picture is not."""
    answers, api = call.service.answers, call.address.api
    blob = record.blob
    measured = blob.measured if blob is not None else UNKNOWN
    values: dict[str, object] = {"id": record.id}
    if api == "v2.0":
        spelled = record.kind.parent_type
        if " " in spelled:
            spelled = answers.variant_parent_type
        values["parentType"] = spelled
    values["width"], values["height"] = measured.width, measured.height
    values["contentType"] = content_type(call, record)
    shown: dict[str, object] = {"@odata.etag": picture_etag(call, record)}
    shown |= {k: v for k, v in values.items() if select is None or k in select}
    stream = stream_name(api)
    if select is None or stream in select:
        link = call.link(content_path(call, record))
        shown[f"{stream}@odata.mediaEditLink"] = link
        shown[f"{stream}@odata.mediaReadLink"] = link
    return shown


def picture_etag(call: Call, record: Record) -> str:
    """The etag of a picture, over its bytes or not."""
    return record.picture_etag_over(covers_bytes=call.service.answers.etag_covers_bytes)


def content_type(call: Call, record: Record) -> str:
    """What the metadata call the picture."""
    if record.blob is None:
        return ""
    match call.service.answers.content_type:
        case "jpeg":
            # The service names every picture .jpg, and goes by the name.
            return "image/jpeg"
        case "sniffed":
            return record.blob.measured.content_type
        case "empty":
            return ""


def stream_name(api: str) -> str:
    """The property with the bytes."""
    return "pictureContent" if api == "v2.0" else "content"


def content_path(call: Call, record: Record) -> str:
    """Where the bytes are, below the service root."""
    parent = f"{record.kind.plural}({record.id})"
    company = f"companies({catalog.company_guid(record.company)})"
    api = call.address.api
    key = "" if api == "v2.0" else f"({record.id})"
    return f"{company}/{parent}/picture{key}/{stream_name(api)}"
