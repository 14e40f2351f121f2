"""A folder is listed as it is, and its files are read whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import threading
from pathlib import Path

import pytest

from bcpicture.core.signs import YOUNG, FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import SourceError
from bcpicture.sync.folder import SMALL, Folder


def told(path: Path, name: str) -> LocalFile:
    return LocalFile(name=name, signs=FileSigns.of((path / name).stat()))


async def test_files_are_listed_by_name_without_folders_and_hidden_ones(
    tmp_path: Path,
):
    for name in ("B.jpg", "A.txt", ".hidden.jpg"):
        (tmp_path / name).write_bytes(b"abc")
    (tmp_path / "C.jpg").mkdir()
    listing = await (await Folder.at(tmp_path)).scan()
    assert listing.files == (told(tmp_path, "A.txt"), told(tmp_path, "B.jpg"))


async def test_folders_in_it_count_where_that_is_wanted(tmp_path: Path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for name in ("A.jpg", "deep/B.jpg", "deep/er/C.jpg", ".git/D.jpg"):
        (tmp_path / name).write_bytes(b"abc")
    files = (await (await Folder.at(tmp_path, recursive=True)).scan()).files
    assert [file.name for file in files] == ["A.jpg", "deep/B.jpg", "deep/er/C.jpg"]
    [read] = await (await Folder.at(tmp_path)).load(files[1:2])
    assert read.data == b"abc"


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    folder = await Folder.at(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"nowhere cannot be read: No such file"):
        await folder.scan()
    with pytest.raises(SourceError, match=r"nowhere cannot be read: No such file"):
        await folder.gone("A.jpg")


async def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "A.jpg").touch()
    with pytest.raises(SourceError, match="Not a directory"):
        await (await Folder.at(tmp_path / "A.jpg")).scan()


async def test_a_place_has_one_name_whatever_the_working_directory(cwd: Path):
    (cwd / "photos").mkdir()
    for name in ("photos", "photos/", str(cwd / "x" / ".." / "photos")):
        folder = await Folder.at(name)
        assert folder.place == str(cwd / "photos")


async def test_what_is_read_is_proven_to_be_one_file(tmp_path: Path):
    (tmp_path / "A.jpg").write_bytes(b"abc")
    (tmp_path / "B.jpg").write_bytes(b"B" * (SMALL + 1))
    os.utime(tmp_path / "A.jpg", ns=(0, 1_000))
    folder = await Folder.at(tmp_path)
    files = (await folder.scan()).files
    small, large = await folder.load(files)
    assert small.file == files[0]
    assert small.data == b"abc"
    assert small.digest == hashlib.sha256(b"abc").hexdigest()
    assert small.signs == files[0].signs
    assert large.data is None
    assert large.path == tmp_path / "B.jpg"
    assert large.digest == hashlib.sha256(b"B" * (SMALL + 1)).hexdigest()
    digests = await folder.digests(files)
    assert [one.digest for one in digests] == [small.digest, large.digest]
    assert digests[0].data is None


async def test_the_signs_of_a_young_file_are_not_relied_on(tmp_path: Path):
    (tmp_path / "A.jpg").write_bytes(b"abc")
    written = (tmp_path / "A.jpg").stat().st_mtime_ns
    files = (await (await Folder.at(tmp_path)).scan()).files
    for age, reliable in ((YOUNG - 1, False), (YOUNG, True)):
        folder = Folder(path=tmp_path, wall=lambda age=age: written + age)
        [read] = await folder.load(files)
        assert (read.signs == read.file.signs) is reliable
        assert (read.signs is None) is not reliable


async def test_what_changed_since_the_listing_is_read_as_it_is_now(tmp_path: Path):
    path = tmp_path / "A.jpg"
    path.write_bytes(b"old")
    folder = await Folder.at(tmp_path)
    files = (await folder.scan()).files
    path.write_bytes(b"newer")
    [read] = await folder.load(files)
    assert read.data == b"newer"
    assert read.file == told(tmp_path, "A.jpg")


@pytest.mark.parametrize("how", ["gone", "folder", "empty", "unreadable"])
async def test_what_cannot_be_read_is_an_error_of_its_own(tmp_path: Path, how: str):
    for name in ("A.jpg", "B.jpg"):
        (tmp_path / name).write_bytes(b"abc")
    folder = await Folder.at(tmp_path)
    files = (await folder.scan()).files
    path = tmp_path / "A.jpg"
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how == "empty":
        path.touch()
    elif how == "unreadable":
        path.symlink_to(path)
    first, second = await folder.load(files)
    assert isinstance(first.error, SourceError)
    assert "A.jpg" in str(first.error)
    assert second.data == b"abc"


async def test_a_file_that_is_being_written_is_left_for_later(tmp_path: Path):
    path = tmp_path / "A.jpg"
    path.write_bytes(b"a" * (64 * SMALL))
    folder = await Folder.at(tmp_path)
    files = (await folder.scan()).files
    ended = threading.Event()

    def write() -> None:
        with path.open("r+b", buffering=0) as opened:
            while not ended.is_set():
                opened.write(b"b")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        [read] = await folder.load(files)
    finally:
        ended.set()
        writer.join()
    assert "is being written" in str(read.error)
    assert read.digest == ""


async def test_only_a_folder_that_has_something_tells_that_a_file_is_gone(
    tmp_path: Path,
):
    folder = await Folder.at(tmp_path)
    assert not await folder.gone("A.jpg")  # a share that is not connected looks so
    (tmp_path / "B.jpg").touch()
    assert await folder.gone("A.jpg")
    assert not await folder.gone("B.jpg")
    assert await folder.has("B.jpg")
    assert not await folder.has("A.jpg")


async def test_links_to_files_are_files_and_links_to_folders_are_not_followed(
    tmp_path: Path,
):
    (tmp_path / "there" / "deep").mkdir(parents=True)
    (tmp_path / "there" / "A.jpg").write_bytes(b"abc")
    (tmp_path / "there" / "B.jpg").symlink_to(tmp_path / "there" / "A.jpg")
    (tmp_path / "there" / "deep" / "back").symlink_to(tmp_path / "there")
    folder = await Folder.at(tmp_path / "there", recursive=True)
    listing = await folder.scan()
    assert [file.name for file in listing.files] == ["A.jpg", "B.jpg"]
    assert listing.files[0].signs == listing.files[1].signs
    assert listing.aside == ()


async def test_what_is_no_file_or_has_no_text_for_a_name_is_set_aside(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round.jpg").symlink_to(tmp_path / "round.jpg")
    (tmp_path / os.fsdecode(b"\xe9A.jpg")).write_bytes(b"abc")
    listing = await (await Folder.at(tmp_path)).scan()
    assert listing.files == ()
    assert {one.name: one.reason for one in listing.aside} == {
        "\\xe9A.jpg": "its name is not UTF-8: rename it",
        "dangling.jpg": "cannot be read: No such file or directory",
        "pipe.jpg": "not a file",
        "round.jpg": "cannot be read: Too many levels of symbolic links",
    }


async def test_a_file_that_became_a_pipe_is_not_waited_for(tmp_path: Path):
    (tmp_path / "A.jpg").write_bytes(b"abc")
    folder = await Folder.at(tmp_path)
    files = (await folder.scan()).files
    (tmp_path / "A.jpg").unlink()
    os.mkfifo(tmp_path / "A.jpg")
    [read] = await folder.load(files)
    assert "it is no file" in str(read.error)


async def test_folders_may_be_deeper_than_python_calls_itself(tmp_path: Path):
    top = tmp_path / "d"
    try:
        descent = os.open(tmp_path, os.O_RDONLY)
        for _ in range(1100):
            os.mkdir("d", dir_fd=descent)
            above, descent = descent, os.open("d", os.O_RDONLY, dir_fd=descent)
            os.close(above)
        os.close(os.open("A.jpg", os.O_CREAT, dir_fd=descent))
        os.close(descent)
        [file] = (await (await Folder.at(tmp_path, recursive=True)).scan()).files
        assert file.name == "d/" * 1100 + "A.jpg"
    finally:  # what would clean up after this test calls itself, too
        await asyncio.to_thread(subprocess.run, ["rm", "-rf", top], check=True)


async def test_a_hidden_marker_is_there(tmp_path: Path):
    (tmp_path / ".photos").touch()
    assert await (await Folder.at(tmp_path)).has(".photos")
