"""What every test stands on: a clean environment, a loop that nothing may block."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from bcpicture import BusinessCentral, ClientSecret, Endpoint
from bcpicture.emulator import Emulator

# How long an example takes says more about the machine than about the code.
settings.register_profile(
    "bcpicture", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bcpicture")

PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own, and no proxy, reaches a test."""
    for name in os.environ:
        ours = name.startswith("BCPICTURE_") and name != "BCPICTURE_CI"
        if ours or name.lower() in PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def blocking_calls_are_errors() -> Iterator[None]:
    """A blocking call that the package makes on a running loop raises.

    Only stacks with a frame of the package count: a test may read a file where it
    stands.
    """
    with blockbuster_ctx("bcpicture"):
        yield


@pytest.fixture
def cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Business Central of the test's own, on the test's own loop."""
    async with Emulator() as server:
        yield server


@pytest.fixture
async def bc(emulator: Emulator) -> AsyncIterator[BusinessCentral]:
    """An open client of that Business Central, API v2.0."""
    endpoint = Endpoint.at(emulator.base_urls["v2.0"])
    credential = ClientSecret(
        client_id=emulator.client_id,
        client_secret=emulator.client_secret,
        token_url=emulator.token_url,
    )
    async with BusinessCentral(endpoint, credential) as client:
        yield client


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of nginx; its absence skips a test, except in continuous integration."""
    path = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        complain = pytest.fail if os.environ.get("BCPICTURE_CI") else pytest.skip
        complain("nginx is not installed: apt-get install nginx-light")
    return path
