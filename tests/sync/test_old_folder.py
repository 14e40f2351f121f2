"""A folder is listed as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bcpicture.core.pairing import LocalFile
from bcpicture.errors import SourceError
from bcpicture.sync import scan


async def test_files_are_listed_by_name_without_folders_and_hidden_ones(
    tmp_path: Path,
):
    for name in ("B.jpg", "A.txt", ".hidden.jpg"):
        (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "C.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    assert await scan(tmp_path) == [
        LocalFile(path=str(tmp_path / "A.txt"), name="A.txt", size=3),
        LocalFile(path=str(tmp_path / "B.jpg"), name="B.jpg", size=3),
    ]


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match=r"nowhere cannot be read: No such file"):
        await scan(str(tmp_path / "nowhere"))


async def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "A.jpg").touch()
    with pytest.raises(SourceError, match="Not a directory"):
        await scan(tmp_path / "A.jpg")
