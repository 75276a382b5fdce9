"""How many tokens a picture becomes: the image processor of a model, and what bounds it.

Image processors of the kind that Qwen2-VL brought (GLM-4.1V, Qwen2.5-VL and their likes) scale a
picture to a number of pixels between two bounds, and a square of pixels becomes a token. The
learner, both kinds of engines and the renderer take their bounds from here, so that all of them
count alike.
"""

from __future__ import annotations

from typing import Any

from rlcs.config import ImageTokensSection
from rlcs.errors import ConfigError
from rlcs.types import Video

VIDEO_MODELS = {"glm4v": 1, "qwen2_5_vl": 100}
"""Types of models that can be shown videos, of which each writes and places their frames in its own
way, and how many of them vLLM takes in a prompt."""
FRAMES_AS_PICTURES = ("glm4v",)
"""Of these, the types that read each patch of a video as a picture, with its time behind it."""
CLOCK = 1_000_000
"""Times of frames are told in so many parts of a second."""
ASKED_SIDE = 100
"""Tokens along a side of the picture by which :func:`token_pixels` asks a processor."""


def limit_image_tokens(processor: Any, wanted: ImageTokensSection | None, model_path: str) -> None:
    """Let the image ``processor`` make as many tokens of a picture as is ``wanted``.

    Raises:
        ConfigError: it cannot be told to.
    """
    if wanted is None:
        return
    if not _scales(processor):
        raise ConfigError(
            f"model.image_tokens: expected a model whose pictures may be of any size, as those of "
            f"GLM-4.1V and Qwen2.5-VL, found {type(processor).__name__} in {model_path}, whose "
            "pictures have one size. Leave model.image_tokens out."
        )
    pixels = token_pixels(processor)
    size = type(processor.size)(
        shortest_edge=processor.size.shortest_edge, longest_edge=processor.size.longest_edge
    )
    if wanted.max is not None:
        size.longest_edge = wanted.max * pixels
        size.shortest_edge = min(size.shortest_edge, size.longest_edge)
    if wanted.min is not None:
        size.shortest_edge = wanted.min * pixels
        size.longest_edge = max(size.shortest_edge, size.longest_edge)
    processor.size = size


def token_pixels(processor: Any) -> int:
    """The pixels that the bounds of ``processor`` count for one token.

    GLM-4V's count a picture twice, because one patch of a video spans two frames; Qwen-VL's count
    it once. So the processor is asked what it makes of a picture over a known bound.
    """
    side = processor.patch_size * processor.merge_size
    before = processor.size
    bound = ASKED_SIDE**2 * side**2
    processor.size = type(before)(shortest_edge=side**2, longest_edge=bound)
    try:
        patches = processor.get_number_of_image_patches(
            2 * ASKED_SIDE * side, 2 * ASKED_SIDE * side
        )
    finally:
        processor.size = before
    times_counted = round(ASKED_SIDE**2 * processor.merge_size**2 / patches)
    return int(side**2 * times_counted)


def _scales(processor: Any) -> bool:
    """Whether a processor scales pictures to a number of pixels between two bounds."""
    size = getattr(processor, "size", None)
    edges = (getattr(size, name, None) for name in ("shortest_edge", "longest_edge"))
    return all(edges) and hasattr(processor, "get_number_of_image_patches")


def video_metadata(video: Video) -> Any:
    """When each frame of ``video`` is seen, as transformers' processors of videos take it.

    They count frames of a steady rate; here these are microseconds, so that any times can be told.
    """
    from transformers.video_utils import VideoMetadata

    whole = len(video.frames) * video.seconds_per_frame
    return VideoMetadata(
        total_num_frames=round(whole * CLOCK),
        fps=float(CLOCK),
        width=video.width,
        height=video.height,
        duration=whole,
        frames_indices=[round(each * CLOCK) for each in video.seconds],
    )
