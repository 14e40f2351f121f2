"""The state lies where each system keeps such things, and never among the pictures."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from bcpicture.core.ledger import JournalTarget
from bcpicture.errors import JournalError, UsageError
from bcpicture.sync.places import (
    find_place,
    place_of,
    prepare,
    require_apart,
    state_folder,
)

TARGET = JournalTarget(
    endpoint="https://api.businesscentral.dynamics.com/v2.0/contoso.com/Production",
    tenant="contoso.com",
    environment="Production",
    company_id="11111111-2222-3333-4444-555555555555",
    company="CRONUS Größe & Co. / USA, Inc.",
    parent="item",
)
HOME = Path.home()


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        pytest.param("linux", {}, HOME / ".local/state/bcpicture", id="linux"),
        pytest.param(
            "linux", {"XDG_STATE_HOME": "/var/x"}, "/var/x/bcpicture", id="XDG"
        ),
        pytest.param(
            "linux",
            {"XDG_STATE_HOME": "x"},
            HOME / ".local/state/bcpicture",
            id="XDG, relative",
        ),
        pytest.param(
            "darwin", {}, HOME / "Library/Application Support/bcpicture", id="macOS"
        ),
        pytest.param(
            "win32", {"LOCALAPPDATA": "/c/local"}, "/c/local/bcpicture", id="Windows"
        ),
        pytest.param("win32", {}, HOME / "AppData/Local/bcpicture", id="Windows, bare"),
        pytest.param("win32", {"BCPICTURE_STATE_DIR": "/x"}, "/x", id="variable"),
        pytest.param("linux", {"BCPICTURE_STATE_DIR": "~/x"}, HOME / "x", id="home"),
    ],
)
def test_each_system_has_its_state_directory(
    platform: str, environ: dict[str, str], folder: str | Path
):
    assert state_folder(environ=environ, platform=platform) == Path(folder)


def test_what_somebody_chose_wins():
    assert state_folder("/y", environ={"BCPICTURE_STATE_DIR": "/x"}) == Path("/y")


def test_a_place_is_readable_and_short():
    name = place_of(Path(), TARGET).folder.name
    assert name.startswith("cronus-gr-e-co-usa-inc-production-item-")
    long = attrs.evolve(TARGET, company="x" * 300, environment="y" * 300)
    assert len(place_of(Path(), long).folder.name) < 80
    unreadable = attrs.evolve(TARGET, company="图书", environment="")
    assert place_of(Path(), unreadable).folder.name.startswith("item-")


@pytest.mark.parametrize(
    "field", ["endpoint", "tenant", "environment", "company_id", "parent"]
)
def test_every_target_has_a_place_of_its_own(field: str):
    other = attrs.evolve(TARGET, **{field: "x"})
    assert place_of(Path(), other) != place_of(Path(), TARGET)


def test_a_renamed_company_keeps_its_place(tmp_path: Path):
    place = prepare(tmp_path, TARGET)
    assert find_place(tmp_path, attrs.evolve(TARGET, company="New name")) == place


def test_a_place_is_made_for_its_user_alone(tmp_path: Path):
    root = tmp_path / "deep" / "state"
    place = prepare(root, TARGET, tmp_path / "photos")
    assert place == prepare(root, TARGET)
    made = {place.folder, place.backups, root}
    assert {it.stat().st_mode & 0o777 for it in made} == {0o700}
    assert place.journal.parent == place.lock.parent == place.folder


def test_a_state_directory_that_is_there_stays_as_it_is(tmp_path: Path):
    tmp_path.chmod(0o755)
    prepare(tmp_path, TARGET)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("root", "pictures"),
    [
        ("photos/.state", "photos"),
        ("photos", "photos"),
        ("state", "state/photos"),
        ("photos/../photos/a/b", "photos"),
        ("link/state", "photos"),
    ],
)
def test_the_state_is_not_kept_among_the_pictures(cwd: Path, root: str, pictures: str):
    (cwd / "photos").mkdir()
    (cwd / "link").symlink_to("photos")
    with pytest.raises(UsageError, match=r"one in the other\. Choose another state"):
        prepare(Path(root), TARGET, Path(pictures))
    assert sorted(it.name for it in cwd.rglob("*")) == ["link", "photos"]


def test_neighbours_are_no_trouble(tmp_path: Path):
    require_apart(tmp_path / "photos-state", tmp_path / "photos")


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"cannot be used: .*--state-dir"):
        prepare(tmp_path / "file" / "state", TARGET)
