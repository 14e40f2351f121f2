"""Pictures of a folder to their items, and the items' pictures into a folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.core.pairing import (
    Download,
    PushPlan,
    Target,
    Upload,
    download_of,
    plan_push,
)
from bcpicture.errors import NoPictureError
from bcpicture.resources.companies import CompanyHandle
from bcpicture.sync.old_engine import WIDTH, Run
from bcpicture.sync.old_folder import scan

_PAGE = 5000
"""Items a page: few requests, and little memory, since one page is held at a time."""


async def plan(company: CompanyHandle, folder: str | Path) -> PushPlan:
    """Find out what a push of *folder* would do, without doing any of it.

    Lists the folder, then all items of the company, page by page.
    """
    files = await scan(folder)
    return plan_push(files, [target async for target in _targets(company)])


def push(
    company: CompanyHandle, steps: PushPlan, *, width: int = WIDTH, digest: bool = False
) -> Run[Upload]:
    """Send what a plan says; whatever picture an item has is replaced.

    Args:
        company: Whose items they are.
        steps: What `plan` returned.
        width: Pictures at once.
        digest: Whether each result has the SHA-256 of the bytes that were sent.
    """

    async def perform(step: Upload) -> Uploaded:
        picture = company.item(step.item_id).picture
        return await picture.upload(Path(step.file.path), digest=digest)

    return Run(_each(steps), perform, width=width)


def pull(
    company: CompanyHandle,
    folder: str | Path,
    *,
    width: int = WIDTH,
    digest: bool = False,
) -> Run[Download]:
    """Write every item's picture to ``{number}.{extension of its real type}``.

    Items are listed while pictures arrive, so that memory does not grow with their
    number. A file that is already there is replaced in one step, once the new bytes
    have arrived in full.

    Args:
        company: Whose items they are.
        folder: Made if it is not there.
        width: Pictures at once.
        digest: Whether each result has the SHA-256 of the bytes that arrived.
    """
    folder = Path(folder)

    async def perform(step: Download) -> Downloaded | None:
        picture = company.item(step.item_id).picture
        path = folder / f"{step.stem}.jpg"
        try:
            return await picture.download(path, sniff_extension=True, digest=digest)
        except NoPictureError:
            return None

    return Run(_downloads(company, folder), perform, width=width)


async def _targets(company: CompanyHandle) -> AsyncGenerator[Target, None]:
    # Without $expand=picture: the service would load every image only to measure it.
    async for item in company.items.select("id", "number").page_size(_PAGE):
        yield Target(item.id, item.number)


async def _each(steps: PushPlan) -> AsyncGenerator[Upload, None]:
    for step in steps.uploads:
        yield step


async def _downloads(
    company: CompanyHandle, folder: Path
) -> AsyncGenerator[Download, None]:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with aclosing(_targets(company)) as targets:
        async for target in targets:
            yield download_of(target)
