"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlcs.files import whole, write_whole


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
