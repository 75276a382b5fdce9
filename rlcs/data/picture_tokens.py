"""The tokens of pictures and videos in a prompt, counted and written as the model's processor does.

A chat template writes one token where a picture or a video stands. The model reads as many as its
vision tower makes of it; some models write in which second of the video a frame is seen between
them. Pixels are read later, by those who run the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcs.data.model_files import PROCESSOR_FILES
from rlcs.errors import DatasetError, first_line
from rlcs.model.vision import VIDEO_MODELS, video_metadata
from rlcs.types import Image, Problem, Video


class PictureTokens:
    """Puts into prompts what a model reads of pictures and videos."""

    def __init__(self, processor: Any | None, tokenizer: Any, config: Any | None) -> None:
        """``processor`` and the model's ``config`` are None where it has none."""
        self._processor = processor
        self._tokenizer = tokenizer
        self._model_type = getattr(config, "model_type", "")
        self._token_of = {
            kind: getattr(config, name, None)
            for kind, name in ((Image, "image_token_id"), (Video, "video_token_id"))
        }
        self.token_ids = tuple(
            dict.fromkeys(token for token in self._token_of.values() if token is not None)
        )
        """The tokens that stand for a picture or a video."""

    @property
    def sees(self) -> bool:
        """Whether the model takes pictures."""
        return self._processor is not None and bool(self.token_ids)

    def spread(self, problem: Problem, token_ids: np.ndarray) -> np.ndarray:
        """``token_ids`` [P] with all that the model reads in place of each picture's one token.

        Raises:
            DatasetError: the model takes no such pictures, or they do not fit to the tokens.
        """
        self._check_kinds(problem)
        places = np.flatnonzero(np.isin(token_ids, self.token_ids))
        wanted = [self._token_of[type(each)] for each in problem.images]
        if token_ids[places].tolist() != wanted or (np.diff(places) == 1).any():
            raise DatasetError(
                f"{problem.where}: expected the chat template to write one token for each of "
                f"{len(wanted)} pictures and videos, none beside another; found {len(places)}. The "
                "question may hold the model's own token for a picture: take it out of the text."
            )
        parts, start = [], 0
        for place, picture in zip(places, problem.images, strict=True):
            parts += [token_ids[start:place], self._tokens(problem, picture)]
            start = place + 1
        return np.concatenate([*parts, token_ids[start:]])

    def _check_kinds(self, problem: Problem) -> None:
        if not self.sees:
            raise DatasetError(
                f"{problem.where}: has pictures, but the model has no vision tower, or no "
                "processor that can be built here. Use a model folder with a processor "
                f"({' or '.join(PROCESSOR_FILES)}), and install what reads pictures: "
                "pip install 'rlcs[vision]'."
            )
        num_videos = sum(isinstance(each, Video) for each in problem.images)
        if num_videos and self._model_type not in VIDEO_MODELS:
            raise DatasetError(
                f"{problem.where}: has a video, expected a model that is shown videos here "
                f"({', '.join(VIDEO_MODELS)}), found {self._model_type}. Use one of these, or take "
                "the row out."
            )
        if num_videos > VIDEO_MODELS.get(self._model_type, 0):
            raise DatasetError(
                f"{problem.where}: expected at most {VIDEO_MODELS[self._model_type]} video for a "
                f"model of the type {self._model_type}, found {num_videos}: vLLM takes no more. "
                "Take the row out."
            )

    def _tokens(self, problem: Problem, picture: Image | Video) -> np.ndarray:
        processor: Any = self._processor
        try:
            if isinstance(picture, Video):
                return self._video_tokens(picture)
            size = (picture.height, picture.width)
            counted = processor._get_num_multimodal_tokens(image_sizes=[size])
        except ValueError as error:
            raise DatasetError(
                f"{problem.where}: expected pictures that the model's processor takes, found "
                f"{picture.name!r} of {picture.width} x {picture.height} pixels: "
                f"{first_line(error).rstrip('.')}. Cut it, or take the row out."
            ) from error
        return np.full(counted.num_image_tokens[0], self._token_of[Image])

    def _video_tokens(self, video: Video) -> np.ndarray:
        processor: Any = self._processor
        num_frames = len(video.frames)
        patches = processor.video_processor.get_num_of_video_patches(
            num_frames, video.height, video.width, {}
        )
        grid = np.array([num_frames // processor.video_processor.temporal_patch_size, 0, 1])
        grid[1] = patches // grid[0]
        text = processor.replace_video_token(
            {"video_grid_thw": [grid], "video_metadata": [video_metadata(video)]}, 0
        )
        ids = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return np.array(ids, dtype=np.int64)
