"""``python -m bcpicture.emulator``: serves until it is told to stop."""

import argparse
import asyncio
import ipaddress
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from bcpicture.emulator.quota import Quota
from bcpicture.emulator.server import Emulator


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    items: int = 20,
    pictures: Path | None = None,
    data: Path | None = None,
    tls: bool = False,
    as_json: bool = False,
    quota: Quota | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        host: Where to listen.
        port: On which port; 0: on a free one.
        items: How many items a company has.
        pictures: A folder with pictures that are there at the start.
        data: A folder for the state; None: it is forgotten.
        tls: Whether to serve https.
        as_json: Whether to tell the connection as one line of JSON.
        quota: The limits per user; None: there are none.
    """
    over = asyncio.Event()
    _on_signals(over)
    server = Emulator(
        host=host,
        port=port,
        items=items,
        pictures=pictures,
        data=data,
        tls=tls,
        quota=quota,
    )
    async with server:
        if not _is_loopback(host):
            _say(sys.stderr, f"Warning: {host} is not loopback: strangers may connect.")
        told = json.dumps(server.connection()) if as_json else introduce(server)
        _say(sys.stdout, told)
        await over.wait()


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
    add("--items", type=int, default=20, help="how many items a company has")
    add("--pictures", type=Path, help="folder of pictures named after item numbers")
    add("--data", type=Path, help="folder that keeps the state for the next time")
    add("--tls", action="store_true", help="serve https, with an authority of its own")
    add("--quota", dest="limits", action="store_true", help="limit users as online")
    add("--json", dest="as_json", action="store_true", help="one line for machines")
    return parser


def _on_signals(over: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(each, over.set)
        except (NotImplementedError, RuntimeError):
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
