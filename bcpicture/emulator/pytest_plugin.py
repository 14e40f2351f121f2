"""Fixtures for anybody's tests.

``pytest_plugins = ["bcpicture.emulator.pytest_plugin"]`` in ``conftest.py`` makes them
available.

The emulator runs on a thread of its own, so that synchronous and asynchronous tests can
use it alike; it starts once a session and is reset before each test.
"""

from collections.abc import Iterator

import pytest

from bcpicture.emulator.server import Emulator
from bcpicture.emulator.threaded import ThreadedEmulator


@pytest.fixture(scope="session")
def bc_emulator_session() -> Iterator[Emulator]:
    """The emulator of the whole session; override it to choose other options."""
    with ThreadedEmulator() as server:
        yield server


@pytest.fixture
def bc_emulator(bc_emulator_session: Emulator) -> Emulator:
    """The emulator, as if nothing had happened yet."""
    bc_emulator_session.reset()
    return bc_emulator_session
