"""The benchmarks work, and their yardstick is honest; how fast is not asked here."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"
COMMANDS = [
    path
    for path in sorted(BENCHMARKS.glob("*.py"))
    if path.stem not in {"__main__", "stand", "strain", "table", "yardstick"}
]


class Server(Protocol):
    """What these tests ask of `yardstick.Yardstick`."""

    port: int
    origin: str

    def content(self, item: str) -> str: ...


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The yardstick's module, which is a command and in no package."""
    path = BENCHMARKS / "yardstick.py"
    spec = importlib.util.spec_from_file_location("yardstick", path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def server(module: ModuleType, nginx: str) -> Iterator[Server]:
    """A running nginx with the small picture."""
    assert nginx
    with module.yardstick(module.SMALL) as running:
        yield running


def patch(server: Server, module: ModuleType, size: int) -> bytes:
    """The head of an upload."""
    path = server.content(module.SMALL).removeprefix(server.origin)
    head = f"PATCH {path} HTTP/1.1\r\nHost: here\r\nIf-Match: *\r\n"
    return f"{head}Content-Length: {size}\r\n\r\n".encode()


def test_an_upload_is_answered_only_after_its_last_byte(
    server: Server, module: ModuleType
) -> None:
    size = 5_000_000
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(patch(server, module, size) + b"x" * (size - 1))
        wire.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(None)
        wire.sendall(b"x")
        assert wire.recv(1000).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("size", [0, 1, 20_480, 3_000_000])
def test_the_answer_to_an_upload_tells_how_many_bytes_were_read(
    server: Server, module: ModuleType, size: int
) -> None:
    head = patch(server, module, size)
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.sendall(head + b"x" * size)
        received = f"X-Received: {len(head) + size}\r\n"
        assert received.encode() in wire.recv(1000)


def test_without_nginx_the_yardstick_says_how_to_get_it(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: None)
    with pytest.raises(module.NoNginxError, match="apt-get install nginx-light"):
        module.find_nginx()


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_benchmark_runs_and_prints_its_table(path: Path, nginx: str) -> None:
    """Its exit code tells whether the figures suffice, which is not asked here."""
    assert nginx
    command = [sys.executable, path, "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert "measured" in done.stdout, done.stderr
