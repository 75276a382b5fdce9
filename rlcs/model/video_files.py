"""Video files: when each of their frames is seen, and the pixels of some of them.

Moving pictures (GIF, WebP, APNG) are read by Pillow, and MP4, WebM, Matroska and AVI by OpenCV,
both from memory. A file's kind is told by its first bytes, and no other kind is given to a decoder:
some kinds, playlists for example, name further files and addresses.

Left out: sound, and the times that a file of another than a steady rate gives its frames; as the
models' own processors do, frame i of an MP4 is taken to be seen at i over the frame rate.
"""

from __future__ import annotations

import importlib
import io
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcs.errors import first_line

MAX_FRAMES = 200_000
"""Of a file: almost two hours at 30 a second. All frames are counted before a run starts."""
WHOLE_SHARE = 0.9
"""Files whose head promises more frames than this share leaves are cut off. It is no exact promise:
some heads only estimate it."""
UNTIMED_SECONDS = 0.1
"""How long a moving picture shows a frame of which it does not say so, as browsers have it."""


class BadVideoError(Exception):
    """A file that is no video that can be read; the message says what it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoFile:
    """What there is to know of a video before its pixels are needed."""

    width: int
    height: int
    times: tuple[float, ...]
    """When each frame is first seen, in seconds."""
    seconds: float
    """How long it lasts."""


def examine(content: bytes) -> VideoFile:
    """Look through a whole video.

    Raises:
        BadVideoError: it cannot be read to its end.
    """
    return _examine_moving(content) if _is_moving_picture(content) else _examine_film(content)


def decode_frames(content: bytes, frames: Sequence[int]) -> np.ndarray:
    """[F, height, width, 3] uint8, the ``frames`` of a video in RGB; they rise, and may repeat.

    Raises:
        BadVideoError: it cannot be read so far.
    """
    read = _moving_frames if _is_moving_picture(content) else _film_frames
    found = dict(read(content, set(frames)))
    if missing := sorted(set(frames) - found.keys()):
        raise BadVideoError(f"it has no frame {missing[0]}")
    return np.stack([found[frame] for frame in frames])


def _is_moving_picture(content: bytes) -> bool:
    return content.startswith((b"GIF8", b"\x89PNG")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def _examine_moving(content: bytes) -> VideoFile:
    times, seconds = [], 0.0
    for opened in _opened_frames(content):
        times.append(seconds)
        seconds += opened.info.get("duration", 0) / 1000 or UNTIMED_SECONDS
        width, height = opened.size
    return VideoFile(width=width, height=height, times=tuple(times), seconds=seconds)


def _moving_frames(content: bytes, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    for number, opened in enumerate(_opened_frames(content)):
        if number in wanted:
            yield number, np.asarray(opened.convert("RGB"))
        if number == max(wanted):
            return


def _opened_frames(content: bytes) -> Iterator[Any]:
    """A moving picture, at each of its frames in turn."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(io.BytesIO(content)) as opened:
                number = getattr(opened, "n_frames", 1)
                _check_number(number)
                for index in range(number):
                    opened.seek(index)
                    opened.load()
                    yield opened
    except BadVideoError:
        raise
    except Exception as error:  # readers of picture formats raise anything
        raise BadVideoError(first_line(error).rstrip(".")) from error


def _examine_film(content: bytes) -> VideoFile:
    import PIL.Image

    cv2, capture = _capture(content)
    rate = capture.get(cv2.CAP_PROP_FPS)
    promised = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    width, height = (
        int(capture.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if not 0 < rate <= 1000:
        raise BadVideoError(f"it says that it has {rate:g} frames a second")
    if width * height > (PIL.Image.MAX_IMAGE_PIXELS or np.inf):
        raise BadVideoError(f"its frames of {width} x {height} pixels would fill the memory")
    number = 0
    while capture.grab():
        number += 1
        _check_number(number)
    if not number or number < WHOLE_SHARE * promised:
        raise BadVideoError(f"it ends after {number} of {promised:.0f} frames")
    times = tuple(index / rate for index in range(number))
    return VideoFile(width=width, height=height, times=times, seconds=number / rate)


def _film_frames(content: bytes, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    cv2, capture = _capture(content)
    for number in range(max(wanted) + 1):
        if not capture.grab():
            return
        if number in wanted:
            whole, pixels = capture.retrieve()
            if not whole:
                return
            yield number, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _capture(content: bytes) -> tuple[Any, Any]:
    """OpenCV, and its reader of a video."""
    known = (
        content[4:8] == b"ftyp"
        or content.startswith(b"\x1aE\xdf\xa3")
        or (content[:4] == b"RIFF" and content[8:12] == b"AVI ")
    )
    if not known:
        raise BadVideoError("it is none of GIF, WebP, APNG, MP4, WebM, Matroska and AVI")
    # What is wrong is said here.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError:
        raise BadVideoError(
            "reading it needs the package opencv-python-headless: pip install 'rlcs[vision]'"
        ) from None
    capture = cv2.VideoCapture(io.BytesIO(content), cv2.CAP_FFMPEG, [])
    if not capture.isOpened():
        raise BadVideoError("its head is damaged, or its end is missing")
    return cv2, capture


def _check_number(number: int) -> None:
    if number > MAX_FRAMES:
        raise BadVideoError(f"it has more than {MAX_FRAMES} frames")
