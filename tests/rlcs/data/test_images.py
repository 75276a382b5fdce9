"""Pictures of rows: found where they may lie, refused with a reason, part of what a problem is."""

from __future__ import annotations

import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import datasets
import PIL.Image
import pytest

from rlcs.config import DataSection
from rlcs.data import load_data
from rlcs.data.images import BadImageError, read_images
from rlcs.errors import DatasetError

SIZES = {"a.png": (30, 20), "b.jpg": (16, 16), "deep/c.png": (8, 9)}


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, a file that is none, and a picture beside the folder."""
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    for name, size in SIZES.items():
        PIL.Image.new("RGB", size, "red").save(folder / name)
    (folder / "text.png").write_text("no picture")
    (folder / "half.png").write_bytes((folder / "a.png").read_bytes()[:20])
    (folder / "empty.png").write_bytes(b"")
    noise = PIL.Image.effect_noise((80, 60), 90)
    for name in ("noise.png", "noise.jpg", "noise.webp", "noise.gif", "noise.bmp"):
        noise.save(folder / name)
        whole = (folder / name).read_bytes()
        (folder / f"cut_{name}").write_bytes(whole[: len(whole) * 3 // 5])
    whole = bytearray((folder / "noise.png").read_bytes())
    whole[len(whole) // 2] ^= 255
    (folder / "changed.png").write_bytes(whole)
    (folder / "more.jpg").write_bytes((folder / "noise.jpg").read_bytes() + b"from a camera")
    # A head alone, of a picture of 2.5 thousand million pixels.
    head = struct.pack(">II5B", 50_000, 50_000, 8, 2, 0, 0, 0)
    (folder / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b""))
    )
    nothing = struct.pack("<HHBBB", 0, 0, 0, 0, 0)
    (folder / "nothing.gif").write_bytes(b"GIF89a" + nothing + b";")
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "outside.png")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    return folder


GOOD = [
    pytest.param("a.png", ["a.png"], id="a name"),
    pytest.param(["b.jpg", "deep/c.png"], ["b.jpg", "deep/c.png"], id="names, one in a folder"),
    pytest.param("deep/../a.png", ["deep/../a.png"], id="a detour that stays inside"),
    pytest.param({"path": "a.png", "bytes": None}, ["a.png"], id="as datasets has a file"),
    pytest.param("noise.webp", ["noise.webp"], id="WebP"),
    pytest.param("more.jpg", ["more.jpg"], id="a JPEG with something behind its end"),
    pytest.param(None, [], id="no cell"),
    pytest.param("", [], id="an empty cell"),
    pytest.param([], [], id="an empty list"),
]


@pytest.mark.parametrize(("value", "names"), GOOD)
def test_what_a_cell_may_hold(value: Any, names: list[str], folder: Path) -> None:
    images = read_images(value, folder)
    assert [image.name for image in images] == names
    for image in images:
        sizes = (size for name, size in SIZES.items() if image.name.endswith(name))
        size = next(sizes, (80, 60))
        assert (image.width, image.height) == size
        assert image.read() == (folder / image.name).read_bytes()


BAD = [
    pytest.param("none.png", "found no file 'none.png'", id="no such file"),
    pytest.param("deep", "found no file 'deep'", id="a folder"),
    pytest.param("../outside.png", "which leads out of it", id="up and out"),
    pytest.param("/etc/passwd", "which leads out of it", id="from the root"),
    pytest.param("link.png", "which leads out of it", id="a link that leads out"),
    pytest.param("text.png", "'text.png', which cannot be opened", id="text"),
    pytest.param("half.png", "'half.png', which cannot be opened", id="cut off in the head"),
    pytest.param("empty.png", "'empty.png', which is empty", id="an empty file"),
    pytest.param("cut_noise.png", "'cut_noise.png', which cannot be opened", id="a PNG cut off"),
    pytest.param("cut_noise.jpg", "'cut_noise.jpg', which cannot be opened", id="a JPEG cut off"),
    pytest.param("cut_noise.webp", "which cannot be opened", id="a WebP cut off"),
    pytest.param("cut_noise.gif", "which cannot be opened", id="a GIF cut off"),
    pytest.param("cut_noise.bmp", "which cannot be opened", id="a BMP cut off"),
    pytest.param("changed.png", "which cannot be opened", id="a checksum that does not fit"),
    pytest.param("bomb.png", "at most 89,478,485 pixels", id="pixels that fill the memory"),
    pytest.param("nothing.gif", "it has no known format", id="no pixel"),
    pytest.param("a\0b.png", r"found the name 'a\\x00b.png'", id="a name that no file can have"),
    pytest.param("a" * 300, "found the name", id="a name too long for a file"),
    pytest.param({"bytes": b""}, "which is empty", id="no bytes"),
    pytest.param({"bytes": b"GIF89a"}, "which cannot be opened", id="bytes that are none"),
    pytest.param(7, "expected the name of a picture's file, found '7'", id="a number"),
    pytest.param(["a.png", {}], "found '{}'", id="an object without a file"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_what_is_refused(value: Any, message: str, folder: Path) -> None:
    with pytest.raises(BadImageError, match=message):
        read_images(value, folder)


def test_it_crosses_processes_by_its_bytes(folder: Path) -> None:
    (image,) = read_images("a.png", folder)
    content = image.read()
    sent = pickle.dumps(image)
    (folder / "a.png").unlink()
    arrived = pickle.loads(sent)
    assert arrived.read() == content
    assert (arrived.name, arrived.width, arrived.height) == ("a.png", 30, 20)
    assert arrived.digest == image.digest


def section(path: Path, **source: Any) -> DataSection:
    columns = {"images": "pictures"}
    return DataSection.model_validate(
        {"train": [{"path": str(path), "domain": "counting", "columns": columns, **source}]}
    )


def test_rows_of_a_file(folder: Path, row_file: Any) -> None:
    rows = [
        {"question": "How many?", "answer": 2, "pictures": "a.png"},
        {"question": "How many?", "answer": 2, "pictures": "b.jpg"},
        {"question": "<image> or <image>?", "answer": 2, "pictures": ["a.png", "b.jpg"]},
        {"question": "And without?", "answer": 2},
    ]
    path = Path(row_file(*rows, name="data/rows.jsonl"))
    problems = load_data(section(path)).train
    assert [len(problem.images) for problem in problems] == [1, 1, 2, 0]
    assert len({problem.problem_id for problem in problems}) == 4, "the picture is part of the id"
    contents = {problem.content for problem in problems}
    assert len(contents) == 4

    elsewhere = Path(row_file(*rows, name="elsewhere.jsonl"))
    found = load_data(section(elsewhere, images_folder=str(folder))).train
    assert [problem.problem_id for problem in found] == [each.problem_id for each in problems]


def test_all_bad_rows_are_named(folder: Path, row_file: Any) -> None:
    path = row_file(
        {"question": "q", "answer": 1, "pictures": "a.png"},
        {"question": "q", "answer": 1, "pictures": "../outside.png"},
        {"question": "<image> <image>", "answer": 1, "pictures": "a.png"},
        {"question": "<image>", "answer": 1, "pictures": None},
        name="data/rows.jsonl",
    )
    with pytest.raises(DatasetError) as refused:
        load_data(section(Path(path)))
    lines = str(refused.value).splitlines()
    assert "rows.jsonl:2" in lines[1]
    assert "which leads out of it" in lines[1]
    assert "rows.jsonl:3" in lines[2]
    assert "found 2 and 1" in lines[2]
    assert "found 1 and 0" in lines[3]


def test_the_same_question_of_another_picture_is_another_problem(
    folder: Path, row_file: Any
) -> None:
    train = row_file(
        *({"question": "How many?", "answer": 2, "pictures": name} for name in SIZES),
        name="data/train.jsonl",
    )
    heldout = row_file(
        {"question": "How  many?", "answer": 2, "pictures": "b.jpg"}, name="data/heldout.jsonl"
    )
    sections = section(Path(train)), section(Path(heldout))
    loaded = load_data(DataSection(train=sections[0].train, heldout=sections[1].train))
    assert [problem.images[0].name for problem in loaded.train] == ["a.png", "deep/c.png"]


def test_a_picture_is_what_it_shows_and_not_what_it_is_called(
    folder: Path, tmp_path: Path, row_file: Any
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    PIL.Image.new("RGB", (30, 20), "blue").save(other / "a.png")  # the name of another
    (other / "copy.png").write_bytes((folder / "b.jpg").read_bytes())
    ask = {"question": "How many?", "answer": 2}
    train = row_file(
        {**ask, "pictures": "a.png"}, {**ask, "pictures": "b.jpg"}, name="data/train.jsonl"
    )
    heldout = row_file(
        {**ask, "pictures": "a.png"}, {**ask, "pictures": "copy.png"}, name="other/heldout.jsonl"
    )
    sections = section(Path(train)), section(Path(heldout))
    loaded = load_data(DataSection(train=sections[0].train, heldout=sections[1].train))
    assert [problem.images[0].name for problem in loaded.train] == ["a.png"]
    assert len({problem.problem_id for problem in [*loaded.train, *loaded.heldout]}) == 3


def test_encoded_pictures_of_a_parquet_file(folder: Path, tmp_path: Path) -> None:
    """Stay as they were encoded, and cost nothing where no column names them."""
    rows = {
        "question": ["How many?", "And here?"],
        "answer": ["1", "2"],
        "pictures": [[str(folder / "a.png")], [str(folder / "b.jpg"), str(folder / "a.png")]],
    }
    features = datasets.Features(
        question=datasets.Value("string"),
        answer=datasets.Value("string"),
        pictures=datasets.List(datasets.Image()),
    )
    path = tmp_path / "rows.parquet"
    datasets.Dataset.from_dict(rows, features=features).to_parquet(path)
    first, second = load_data(section(path)).train
    assert first.images[0].read() == (folder / "a.png").read_bytes()
    assert [(image.width, image.height) for image in second.images] == [(16, 16), (30, 20)]
    assert first.images[0].digest == second.images[1].digest, "the same picture"

    blind = DataSection.model_validate({"train": [{"path": str(path), "domain": "counting"}]})
    assert [problem.images for problem in load_data(blind).train] == [(), ()]
