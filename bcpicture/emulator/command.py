"""``python -m bcpicture.emulator``: serves until it is told to stop."""

import argparse
import asyncio
import ipaddress
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, TypedDict, Unpack

from bcpicture.emulator.quota import Quota
from bcpicture.emulator.server import Emulator

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib"}
    | {".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".svg"}
)
"""Of files that are taken for pictures, in lower case."""


class Chosen(TypedDict, total=False):
    """The options of an emulator that the command line has."""

    host: str
    port: int
    items: int | None
    pictures: Path | None
    data: Path | None
    tls: bool
    quota: Quota | None


async def serve(
    *,
    as_json: bool = False,
    numbers_from: Path | None = None,
    **chosen: Unpack[Chosen],
) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP.

    Args:
        as_json: Whether to tell the connection as one line of JSON.
        numbers_from: A folder of pictures whose names are the numbers of the items, or
            a file with one number a line.
        **chosen: Options of the emulator.
    """
    over = asyncio.Event()
    _on_signals(over)
    numbers = await asyncio.to_thread(numbers_of, numbers_from)
    async with Emulator(numbers=numbers, **chosen) as server:
        if not _is_loopback(server.host):
            warning = f"{server.host} is not loopback: strangers may connect."
            _say(sys.stderr, f"Warning: {warning}")
        told = json.dumps(server.connection()) if as_json else introduce(server)
        _say(sys.stdout, told)
        await over.wait()


def numbers_of(source: Path | None) -> tuple[str, ...]:
    """The item numbers that the pictures of a folder, or the lines of a file, tell.

    Of numbers that differ only in case the first one counts, as for pictures.
    """
    if source is None:
        return ()
    if source.is_dir():
        files = (path for path in source.iterdir() if path.is_file())
        texts = [path.stem for path in files if path.suffix.lower() in EXTENSIONS]
    else:
        texts = source.read_text(encoding="utf-8").split("\n")
    found: dict[str, str] = {}
    for text in sorted(filter(None, map(str.strip, texts))):
        found.setdefault(text.casefold(), text)
    return tuple(found.values())


def introduce(server: Emulator) -> str:
    """Where it listens, and which credentials it takes."""
    urls = [f"  {api:<14}{url}" for api, url in server.base_urls.items()]
    lines = [
        f"An emulated Business Central listens at {server.url}",
        *urls,
        f"  token endpoint {server.token_url}",
        f"  client id      {server.client_id}",
        f"  client secret  {server.client_secret}",
        f"  scope          {server.scope}",
        f"  or user, key   {server.user}, {server.key}",
    ]
    if server.ca_path is not None:
        lines.append(f"  trust          {server.ca_path}")
    lines.append("Everything in it is made up. Ctrl+C stops it.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    chosen = vars(_parser().parse_args(arguments))
    if chosen.pop("limits"):
        chosen["quota"] = Quota()
    try:
        asyncio.run(serve(**chosen))
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # Nobody listens to what it says: it has put everything away, and ends.
        return 0
    except (FileNotFoundError, NotADirectoryError) as exc:
        _say(sys.stderr, f"Cannot read {exc.filename}: {exc.strerror}")
        return 2
    except OSError as exc:
        _say(sys.stderr, f"Cannot listen at {chosen['host']}:{chosen['port']}: {exc}")
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bcpicture.emulator",
        description="A Business Central picture service on this machine.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="where to listen; 0 finds a free one")
    add("--host", default="127.0.0.1", help="loopback, unless told otherwise")
    add("--items", type=int, help="how many items a company has; 20 unless told")
    add("--numbers-from", type=Path, help="folder whose file names are item numbers")
    add("--pictures", type=Path, help="folder of pictures named after item numbers")
    add("--data", type=Path, help="folder that keeps the state for the next time")
    add("--tls", action="store_true", help="serve https, with an authority of its own")
    add("--quota", dest="limits", action="store_true", help="limit users as online")
    add("--json", dest="as_json", action="store_true", help="one line for machines")
    return parser


def _on_signals(over: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        try:
            loop.add_signal_handler(getattr(signal, name), over.set)
        except (AttributeError, NotImplementedError, RuntimeError):
            # Not on every system, and only on the main thread: Ctrl+C still works.
            continue


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()
