"""The fixtures for anybody's tests, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

PLUGIN = 'pytest_plugins = ["bcpicture.emulator.pytest_plugin"]\n'

TESTS = """
import urllib.request


def get(server):
    url = server.base_urls["v2.0"] + "/companies"
    headers = {"Authorization": "Bearer " + server.identity.token()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as it:
        return it.status


def test_one(bc_emulator):
    bc_emulator.store.companies[0].item("1896-S").set_picture(b"x")
    assert get(bc_emulator) == 200
    assert len(bc_emulator.log) == 1


def test_two(bc_emulator):
    assert bc_emulator.store.companies[0].item("1896-S").picture_bytes() is None
    assert get(bc_emulator) == 200
    assert len(bc_emulator.log) == 1
"""


def test_the_fixture_starts_anew_for_each_test(tmp_path: Path):
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_it.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
