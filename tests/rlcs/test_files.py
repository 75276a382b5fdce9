"""Files that are there whole or not at all, and what is said where a disk does not take them."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from small_disk import make_read_only, small_disk

from rlcs.errors import ResumeError, StorageError
from rlcs.files import check_room, naming_disks, whole, write_whole, writing


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, "old")
    with whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, "old")
    with pytest.raises(OSError, match="no room"), whole(path) as partial:  # noqa: PT012
        partial.write_text("half of the n")
        raise OSError("no room")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "model"
    (tmp_path / "model.partial" / "left by a kill").mkdir(parents=True)
    with whole(path) as partial:
        partial.mkdir()
        (partial / "config.json").write_text("{}")
        assert not path.exists()
    assert [each.name for each in path.iterdir()] == ["config.json"]
    assert list(tmp_path.iterdir()) == [path]


def test_names_with_dots_keep_them(tmp_path: Path) -> None:
    path = tmp_path / "run-1.5"
    write_whole(path, b"\x00")
    assert path.read_bytes() == b"\x00"


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)  # both ends, so that nobody waits
    write_whole(pipe, "row")
    assert os.read(descriptor, 10) == b"row"
    assert not pipe.is_file()
    os.close(descriptor)


def raises(error: Exception, folder: Path, **options: float) -> StorageError:
    with pytest.raises(StorageError) as caught, writing("the log", folder, **options):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        pytest.param(OSError(28, "No space"), errno.ENOSPC, "Make room", id="Python's full disk"),
        pytest.param(OSError(errno.EDQUOT, "x"), errno.EDQUOT, "disk quota exceeded", id="quota"),
        pytest.param(OSError(errno.EFBIG, "x"), errno.EFBIG, "file too large", id="ulimit -f"),
        pytest.param(OSError(errno.EROFS, "x"), errno.EROFS, "Make it writable", id="read-only"),
        pytest.param(
            PermissionError(13, "x"), errno.EACCES, "choose another folder", id="no right"
        ),
        pytest.param(FileNotFoundError(2, "x"), errno.ENOENT, "put it back", id="gone"),
        pytest.param(OSError(errno.ESTALE, "x"), errno.ESTALE, "stale", id="a lost NFS mount"),
        pytest.param(OSError(errno.EIO, "x"), errno.EIO, "Look at the disk", id="a broken disk"),
        pytest.param(
            shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
            errno.ENOSPC,
            "Make room",
            id="copytree collects its errors as text",
        ),
        pytest.param(
            Exception("I/O error: No space left on device (os error 28)"),
            errno.ENOSPC,
            "Make room",
            id="Rust, as in safetensors and tokenizers",
        ),
        pytest.param(
            OSError("Error writing bytes to file. Detail: [errno 28] No space left on device"),
            errno.ENOSPC,
            "Make room",
            id="Arrow",
        ),
        pytest.param(
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
            None,
            "was not taken whole",
            id="torch tells no number, and now there is room",
        ),
        pytest.param(
            sqlite3.OperationalError("database or disk is full"),
            None,
            "was not taken whole",
            id="SQLite",
        ),
    ],
)
def test_every_packages_word_for_it_becomes_one_error(
    error: Exception, code: int | None, expected: str, tmp_path: Path
) -> None:
    told = raises(error, tmp_path)
    assert told.code == code
    assert str(told).startswith(f"the log could not be written to {tmp_path}: ")
    assert expected in str(told)
    assert told.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("a bug"), id="a bug"),
        pytest.param(ConnectionResetError(104, "reset"), id="a connection"),
        pytest.param(RuntimeError("exit code [Errno 104]"), id="another number"),
        pytest.param(ResumeError("not this run"), id="an error of ours that is an OSError"),
    ],
)
def test_any_other_error_stays_what_it_is(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as caught, writing("the log", tmp_path):
        raise error
    assert caught.value is error


def test_the_outer_one_says_what_and_the_inner_one_why(tmp_path: Path) -> None:
    inner = raises(OSError(28, "No space"), tmp_path / "rank 0")
    inner = pickle.loads(pickle.dumps(inner))  # as it comes from another process
    outer = raises(inner, tmp_path, needed_bytes=3 * 2**20)
    assert outer.code == errno.ENOSPC
    assert f"written to {tmp_path}: no space left on device; about 3.0 MiB are needed" in str(outer)
    advised = outer.advising("Go on from step 3.")
    assert str(advised).endswith("Make room there. Go on from step 3.")
    assert advised.code == errno.ENOSPC


def test_another_file_is_named(tmp_path: Path) -> None:
    told = raises(OSError(28, "No space", "/elsewhere/file"), tmp_path)
    assert "no space left on device (/elsewhere/file)" in str(told)
    told = raises(OSError(28, "No space", str(tmp_path / "file")), tmp_path)
    assert "file)" not in str(told)


def test_only_disks_count_where_anything_may_be_done() -> None:
    with pytest.raises(StorageError, match="/mnt/log could not be written: no space"):  # noqa: SIM117
        with naming_disks():
            raise OSError(28, "No space", "/mnt/log")
    with pytest.raises(FileNotFoundError), naming_disks():
        raise FileNotFoundError(2, "a bug")


def test_room_is_looked_for_before_the_work(tmp_path: Path) -> None:
    check_room("the model", tmp_path / "new" / "folder", needed_bytes=1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError, match=r"about 8388608\.0 GiB are needed, .* are free"):
        check_room("the model", tmp_path / "new", needed_bytes=2**53)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="not a directory"):
        check_room("the model", tmp_path / "file" / "folder")


def write_torch(path: Path) -> None:
    import torch

    torch.save(torch.zeros(2**16), path)


def write_safetensors(path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2**16)}, path)


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = np.random.default_rng(0).integers(0, 256, 2**18, dtype=np.uint8)
    pq.write_table(pa.table({"x": rows}), path)


def write_picture(path: Path) -> None:
    import PIL.Image

    pixels = np.random.default_rng(0).integers(0, 256, (512, 512), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(path, "PNG")


def write_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE rows (text TEXT)")
        database.execute("INSERT INTO rows VALUES (?)", ("x" * 2**18,))


WRITERS = (write_torch, write_safetensors, write_parquet, write_picture, write_sqlite)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_disk_that_is_really_full(write: Callable[[Path], None], tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib=128) as disk:
        with pytest.raises(StorageError) as told, writing("it", disk, needed_bytes=2**18):
            write(disk / "file")
        assert told.value.code in (errno.ENOSPC, None)
        assert "about 0.2 MiB are needed" in str(told.value)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_folder_that_is_really_read_only(write: Callable[[Path], None], tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib=128) as disk:
        make_read_only(disk)
        with pytest.raises(StorageError, match="read-only file system"), writing("it", disk):
            write(disk / "file")
        with pytest.raises(StorageError, match="read-only file system"):
            check_room("it", disk / "new")


def test_what_a_full_disk_took_a_part_of_is_removed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kib=64) as disk:
        write_whole(disk / "summary.json", "old")
        with pytest.raises(StorageError), writing("it", disk):
            write_whole(disk / "summary.json", bytes(2**20))
        assert [path.name for path in disk.iterdir()] == ["summary.json"]
        assert (disk / "summary.json").read_text() == "old"
