"""Videos of rows: which frames are shown and when, files that are none, and what a problem is."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from rlcs.config import DataSection, VideoSection
from rlcs.data import load_data
from rlcs.data.images import BadImageError
from rlcs.data.videos import read_videos, sample_frames
from rlcs.errors import DatasetError
from rlcs.model.loading import decode_video
from rlcs.run.records import from_plain, to_plain
from rlcs.types import Image, Video

SHOWN = VideoSection(frames_per_second=2.0, max_frames=8)
STEADY = [index / 10 for index in range(40)]

CASES = [
    pytest.param(STEADY, 4.0, range(0, 40, 5), 0.5, id="every half second of four"),
    pytest.param(STEADY[:15], 1.5, (0, 5, 10, 10), 0.5, id="an odd number: the last one twice"),
    pytest.param(STEADY[:1], 0.1, (0, 0), 0.1, id="one frame alone"),
    pytest.param(STEADY[:3], 0.3, (0, 0), 0.3, id="shorter than the time between two"),
    pytest.param(
        [index / 10 for index in range(400)],
        40.0,
        range(0, 400, 50),
        5.0,
        id="too long for the rate: spread over all of it",
    ),
    pytest.param([0.0, 1.0, 2.0, 3.0], 4.0, (0, 1, 2, 3), 1.0, id="slower than the rate"),
    pytest.param([0.0, 0.1, 0.7, 2.6], 3.0, (0, 2, 3, 3), 1.0, id="times of no steady rate"),
    pytest.param([7.0, 7.5, 8.0, 8.5], 2.0, (0, 1, 2, 3), 0.5, id="times that begin later"),
]


@pytest.mark.parametrize(("times", "seconds", "frames", "apart"), CASES)
def test_which_frames_are_shown(
    times: list[float], seconds: float, frames: Any, apart: float
) -> None:
    found, seen, spacing = sample_frames(times, seconds, SHOWN)
    assert found == tuple(frames)
    assert seen == tuple(times[frame] for frame in frames)
    assert spacing == pytest.approx(apart)


def film(path: Path, code: str) -> np.ndarray:
    """Write 20 frames at 10 a second, each of one grey; returns the greys."""
    greys = np.arange(20) * 12
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 10, (64, 48))
    for grey in greys:
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    return greys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos of each kind, cut ones, files that are none, and one beside the folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, code in (("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.webm", "VP80"), ("a.mkv", "mp4v")):
        film(folder / name, code)
    first, *others = (PIL.Image.new("RGB", (64, 48), (g, g, g)) for g in np.arange(20) * 12)
    for name in ("a.gif", "a.webp", "a.png"):
        first.save(folder / name, save_all=True, append_images=others, duration=100)
        first.save(folder / f"one_{name}")
    for name in ("a.mp4", "a.avi", "a.webm", "a.gif", "a.webp"):
        whole = (folder / name).read_bytes()
        (folder / f"cut_{name}").write_bytes(whole[: len(whole) // 2])
    PIL.Image.new("RGB", (60, 48)).save(folder / "other.png")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    (tmp_path / "outside.gif").write_bytes((folder / "a.gif").read_bytes())
    return folder


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.webm", "a.mkv", "a.gif", "a.webp", "a.png"])
def test_each_kind_of_file(name: str, folder: Path) -> None:
    (video,) = read_videos(name, folder, SHOWN)
    assert (video.name, video.width, video.height) == (name, 64, 48)
    assert video.frames == (0, 5, 10, 15)
    assert video.seconds == pytest.approx((0.0, 0.5, 1.0, 1.5))
    shown = decode_video(video)
    assert (shown.shape, shown.dtype) == ((4, 48, 64, 3), np.uint8)
    # Most kinds lose a little.
    np.testing.assert_allclose(shown.mean(axis=(1, 2, 3)), np.array(video.frames) * 12, atol=4)
    encoded = {"bytes": (folder / name).read_bytes(), "path": None}
    (other,) = read_videos([encoded], folder, SHOWN)
    assert other.digest == video.digest
    (slower,) = read_videos(name, folder, VideoSection(frames_per_second=1.0))
    assert slower.digest != video.digest, "other frames are another video"


def test_frames_as_files(folder: Path) -> None:
    names = [f"frame{number}.png" for number in range(4)]
    for number, name in enumerate(names):
        PIL.Image.new("RGB", (20, 10), (number * 50,) * 3).save(folder / name)
    cell = {"frames": names, "seconds": [0, 0.5, 0.6, 1.5]}
    (video,) = read_videos(cell, folder, SHOWN)
    assert len(video.stored) == 4, "the last one counts twice"
    assert video.seconds == (0.0, 0.5, 1.5, 1.5)
    assert decode_video(video)[:, 0, 0, 0].tolist() == [0, 50, 150, 150]


BAD = [
    pytest.param("none.mp4", "expected a video, found no file", id="no such file"),
    pytest.param("../outside.gif", "which leads out of it", id="up and out"),
    pytest.param("empty.mp4", "it is none of GIF, WebP", id="an empty file"),
    pytest.param("list.mp4", "it is none of GIF, WebP", id="a list of other files"),
    pytest.param("cut_a.mp4", "its end is missing", id="an MP4 cut off"),
    pytest.param("cut_a.avi", "its end is missing", id="an AVI cut off"),
    pytest.param("cut_a.webm", "it ends after", id="a WebM cut off"),
    pytest.param("cut_a.gif", "which cannot be read", id="a GIF cut off"),
    pytest.param("cut_a.webp", "which cannot be read", id="a WebP cut off"),
    pytest.param(7, "expected the name of a video's file, found '7'", id="a number"),
    pytest.param({"frames": ["a.png"]}, "expected frames .* and seconds", id="no times"),
    pytest.param({"frames": [], "seconds": []}, "expected frames", id="no frames"),
    pytest.param(
        {"frames": ["a.png", "other.png"], "seconds": [1, 1]}, "rising", id="times that stand"
    ),
    pytest.param({"frames": ["a.png"], "seconds": [float("nan")]}, "rising", id="no number"),
    pytest.param(
        {"frames": ["one_a.png", "other.png"], "seconds": [0, 1]}, "frames of one size", id="sizes"
    ),
    pytest.param(
        {"frames": ["../outside.gif"], "seconds": [0]},
        "which leads out of it",
        id="a frame outside",
    ),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_what_is_refused(value: Any, message: str, folder: Path) -> None:
    with pytest.raises(BadImageError, match=message):
        read_videos(value, folder, SHOWN)


def section(path: str, **more: Any) -> DataSection:
    columns = {"images": "pictures", "videos": "films"}
    source = {"path": path, "domain": "counting", "columns": columns}
    return DataSection.model_validate({"train": [source], **more})


def test_rows_of_a_file(folder: Path, row_file: Callable[..., str]) -> None:
    path = row_file(
        {"question": "What?", "answer": 1, "films": "a.gif"},
        {"question": "<video> or <image>?", "answer": 1, "films": "a.gif", "pictures": "other.png"},
        {"question": "<image>?", "answer": 1, "films": ["a.gif"], "pictures": "other.png"},
        name="data/rows.jsonl",
    )
    loaded = load_data(section(path, video={"frames_per_second": 1.0, "max_frames": 2}))
    kinds = [[type(each) for each in problem.images] for problem in loaded.train]
    assert kinds == [[Video], [Video, Image], [Video, Image]]
    assert loaded.train[0].images[0].frames == (0, 10)
    assert loaded.train[0].location.endswith("rows.jsonl:1")


def test_bad_rows_are_named(folder: Path, row_file: Callable[..., str]) -> None:
    path = row_file(
        {"question": "What?", "answer": 1, "films": "a.gif"},
        {"question": "What?", "answer": 1, "films": "cut_a.mp4"},
        {"question": "<video> <video>", "answer": 1, "films": "a.gif"},
        name="data/rows.jsonl",
    )
    with pytest.raises(DatasetError) as refused:
        load_data(section(path))
    assert "rows.jsonl:2: expected a video, found 'cut_a.mp4'" in str(refused.value)
    assert "rows.jsonl:3: expected as many <video> in the text as videos" in str(refused.value)


def test_it_crosses_processes_and_checkpoints_by_its_bytes(folder: Path) -> None:
    (video,) = read_videos("a.gif", folder, SHOWN)
    sent, saved = pickle.dumps(video), to_plain((video,))
    content = (folder / "a.gif").read_bytes()
    (folder / "a.gif").unlink()
    for arrived in (pickle.loads(sent), *from_plain(tuple[Image | Video, ...], saved, "it")):
        assert arrived.stored == (content,)
        assert (arrived.digest, arrived.frames) == (video.digest, video.frames)
    encoded = io.BytesIO(content)
    assert decode_video(arrived).shape[1:3] == PIL.Image.open(encoded).size[::-1]
