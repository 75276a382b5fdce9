"""The videos of a row: which of their frames the model is shown, and when each of these is seen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rlcs.config import VideoSection
from rlcs.data.images import (
    BadImageError,
    cell_parts,
    digest_of,
    file_inside,
    named_in,
    read_file,
    read_image,
)
from rlcs.model.video_files import BadVideoError, examine
from rlcs.types import Video

PLACEHOLDER = "<video>"
"""Stands in a turn's text for the next video of its row."""
NEAR = 1e-6
"""Seconds, by which a frame may come too early for the moment it is wanted at."""


def read_videos(value: Any, folder: Path, shown: VideoSection) -> tuple[Video, ...]:
    """The videos of a cell: a file's name, ``{"bytes", "path"}`` as ``datasets`` has it, pictures
    with their times ``{"frames", "seconds"}``, or a list of these. Names are looked up in
    ``folder`` and may not lead out of it.

    Raises:
        BadImageError: a video cannot be used; the message names the first one.
    """
    return tuple(_read_video(part, folder, shown) for part in cell_parts(value))


def _read_video(value: Any, folder: Path, shown: VideoSection) -> Video:
    if isinstance(value, dict) and "frames" in value:
        return _of_pictures(value, folder, shown)
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return encoded_video(value["bytes"], shown)
    name: Any = named_in(value, "video")
    path = file_inside(name, folder, "video")
    return replace(encoded_video(read_file(path, name), shown, name=name), stored=(path,))


def encoded_video(content: bytes, shown: VideoSection, *, name: str | None = None) -> Video:
    """The video that ``content`` encodes.

    Raises:
        BadImageError: ``content`` encodes none, or not a whole one.
    """
    digest = digest_of(content)
    name = name or digest
    try:
        found = examine(content)
    except BadVideoError as error:
        raise BadImageError(
            f"expected a video, found {name!r}, which cannot be read: {error}"
        ) from None
    frames, seconds, apart = sample_frames(found.times, found.seconds, shown)
    return Video(
        name=name,
        digest=digest_of(content, repr(frames).encode()),
        width=found.width,
        height=found.height,
        stored=(content,),
        frames=frames,
        seconds=seconds,
        seconds_per_frame=apart,
    )


def _of_pictures(value: dict[str, Any], folder: Path, shown: VideoSection) -> Video:
    """The video of ``{"frames": names of pictures, "seconds": when each is seen}``."""
    names: Any = value.get("frames")
    times: Any = value.get("seconds")
    if not (isinstance(names, list) and names and _rise(times) and len(names) == len(times)):
        raise BadImageError(
            "expected frames (a list of pictures) and seconds (as many times, from 0 and rising), "
            f"found {str(value)[:80]}"
        )
    last = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    whole = times[-1] - times[0] + (last or 1 / shown.frames_per_second)
    frames, seconds, apart = sample_frames(times, whole, shown)
    pictures = [read_image(names[frame], folder) for frame in frames]
    sizes = {(picture.width, picture.height) for picture in pictures}
    if len(sizes) > 1:
        raise BadImageError(
            f"expected frames of one size, found {sorted(sizes)} in the video of "
            f"{pictures[0].name!r}"
        )
    digests = "".join(picture.digest for picture in pictures)
    return Video(
        name=pictures[0].name,
        digest=digest_of(digests.encode(), repr(seconds).encode()),
        width=pictures[0].width,
        height=pictures[0].height,
        stored=tuple(picture.stored for picture in pictures),
        frames=tuple(range(len(frames))),
        seconds=seconds,
        seconds_per_frame=apart,
    )


def _rise(times: Any) -> bool:
    """Whether ``times`` are rising numbers from 0."""
    return (
        isinstance(times, list)
        and all(type(time) in (int, float) and 0 <= time < 1e6 for time in times)
        and all(before < after for before, after in itertools.pairwise(times))
    )


def sample_frames(
    times: Sequence[float], seconds: float, shown: VideoSection
) -> tuple[tuple[int, ...], tuple[float, ...], float]:
    """Which frames of a video are shown, when each is seen, and how far they are apart.

    ``times`` are when each frame is first seen, and ``seconds`` how long the video lasts. At a
    steady rate the next frame is taken each time; where the video is longer than so many frames
    reach, they are spread over it. Patches span two frames: of an odd number the last comes twice.
    """
    apart = max(1 / shown.frames_per_second, seconds / shown.max_frames)
    number = max(1, int(seconds / apart + NEAR))
    wanted = times[0] + apart * np.arange(number) - NEAR
    after = np.searchsorted(np.asarray(times), wanted)
    frames = np.unique(np.minimum(after, len(times) - 1)).tolist()
    apart = seconds / len(frames)
    frames += frames[-1:] * (len(frames) % 2)
    return tuple(frames), tuple(float(times[frame]) for frame in frames), apart
