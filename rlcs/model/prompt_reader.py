"""Prompts as the inputs of a model's forward pass: tokens, positions, and pixel values.

A vision-language model gets, besides the tokens, what its image processor makes of the pictures,
and positions of its own: where a picture's tokens stand in the picture (M-RoPE, arXiv 2409.12191).
The positions of what follows the prompt are moved by a constant, so that a completion needs
nothing but that number. A video is given to the vision tower as so many pictures: one for each
patch of time, which is what the tower itself makes of it.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rlcs.config import ImageTokensSection
from rlcs.errors import ModelError
from rlcs.model.loading import (
    decode_image,
    decode_video,
    image_token_ids,
    load_image_processor,
    load_video_processor,
)
from rlcs.model.vision import FRAMES_AS_PICTURES, video_metadata
from rlcs.types import Image, Video

MAX_PROCESSED_BYTES = 2**30
"""Pictures are kept as the image processor made them, up to this size together: a step reads the
same ones in every update."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptInputs:
    """Prompts as the inputs of a model."""

    arguments: dict[str, torch.Tensor]
    """For the model's forward pass: tokens, mask, positions, and pictures if there are any."""
    shift: torch.Tensor
    """[N, 1] int64, what to add to the position of every token after each prompt."""


class PromptReader:
    """Makes the inputs of one model's forward pass out of prompts."""

    def __init__(
        self,
        model: torch.nn.Module,
        model_path: str,
        *,
        trust_code: bool = False,
        image_tokens: ImageTokensSection | None = None,
    ) -> None:
        """``model`` may be wrapped; ``model_path`` holds its image processor if it has one."""
        self._config: Any = model.config
        self.image_token_ids = image_token_ids(model.config)
        self._model_path = model_path
        self._trust_code = trust_code
        self._image_tokens = image_tokens
        self._rope: Any = next(
            (part for part in model.modules() if hasattr(part, "get_rope_index")), None
        )
        self._processed: OrderedDict[str, dict[str, torch.Tensor]] = OrderedDict()
        """What the image processor made of the pictures used last, by their digests."""

    def inputs(
        self, token_ids: torch.Tensor, mask: torch.Tensor, images: Sequence[Image | Video]
    ) -> PromptInputs:
        """Turn prompts into the inputs of a forward pass.

        ``token_ids`` [N, P] are padding where ``mask`` [N, P] bool is False; ``images`` are the
        pictures and videos of all prompts, in their order.

        Raises:
            ModelError: a picture cannot be decoded, or the model takes none.
        """
        arguments = {
            "input_ids": self.as_pictures(token_ids),
            "attention_mask": mask.long(),
            "position_ids": positions(mask),
        }
        shift = torch.zeros(len(mask), 1, dtype=torch.long, device=mask.device)
        if images:
            arguments |= self.pixels(images, mask.device)
            if self._rope is not None:
                arguments["position_ids"], shift = self._places(token_ids, images, mask)
        return PromptInputs(arguments=arguments, shift=shift)

    def prompt_positions(
        self, token_ids: torch.Tensor, images: Sequence[Image | Video]
    ) -> torch.Tensor:
        """Positions [1, P] of a prompt's tokens [P]; [3, 1, P] where pictures have places."""
        plain = torch.arange(len(token_ids))[None]
        if self._rope is None:
            return plain
        if not images:
            return plain.expand(3, 1, -1)
        return self._places(token_ids[None], images, None)[0]

    def _places(
        self, token_ids: torch.Tensor, images: Sequence[Image | Video], mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions [3, N, P] of prompts' tokens [N, P], and what to add to those of later ones."""
        types = (token_ids == self._config.image_token_id).long()
        videos = [each for each in images if isinstance(each, Video)]
        pictures = [each for each in images if isinstance(each, Image)]
        told: dict[str, Any] = {}
        if self._config.model_type in FRAMES_AS_PICTURES:
            told["image_grid_thw"] = _frame_by_frame(self._grids(images))
        else:
            if pictures:
                told["image_grid_thw"] = self._grids(pictures)
            if videos:
                types += 2 * (token_ids == self._config.video_token_id)
                told["video_grid_thw"] = self._grids(videos)
                span = self._config.vision_config.temporal_patch_size
                told["second_per_grid_ts"] = [
                    span / video_metadata(video).sampled_fps for video in videos
                ]
        found: tuple[torch.Tensor, torch.Tensor] = self._rope.get_rope_index(
            token_ids, mm_token_type_ids=types, attention_mask=mask, **told
        )
        return found

    def _grids(self, images: Sequence[Image | Video]) -> torch.Tensor:
        """[N, 3] patches along time, height and width of each."""
        return torch.cat([self._pixels_of(each)["image_grid_thw"] for each in images])

    def as_pictures(self, token_ids: torch.Tensor) -> torch.Tensor:
        """``token_ids`` with the token of a picture in place of that of a video.

        To the vision tower a video is so many pictures, as :meth:`pixels` has it. In this way it
        runs once for all of them, on each rank as often as on every other.
        """
        video = getattr(self._config, "video_token_id", None)
        if video is None:
            return token_ids
        return token_ids.masked_fill(token_ids == video, self._config.image_token_id)

    def pixels(
        self, images: Sequence[Image | Video], device: torch.device
    ) -> dict[str, torch.Tensor]:
        """What the model takes of ``images``, one behind the other; nothing where there are none.

        Raises:
            ModelError: a picture cannot be decoded, or the model takes none.
        """
        made = [self._pixels_of(image) for image in images]
        joined = {
            name: torch.cat([each[name] for each in made]) for name in (made[0] if made else ())
        }
        if "image_grid_thw" in joined:
            joined["image_grid_thw"] = _frame_by_frame(joined["image_grid_thw"])
        return {name: tensor.to(device) for name, tensor in joined.items()}

    def image_tokens(self, image: Image) -> torch.Tensor:
        """The tokens [T] that stand for ``image``.

        Raises:
            ModelError: the model does not say how many there are.
        """
        made = self._pixels_of(image)
        if "image_grid_thw" not in made:
            raise ModelError(
                f"{self._model_path}: problems with pictures and problems without cannot be "
                "mixed for this kind of model. Train on one of the two."
            )
        merge = self._config.vision_config.spatial_merge_size
        number = int(made["image_grid_thw"].prod()) // merge**2
        return torch.full((number,), self._config.image_token_id)

    def _pixels_of(self, image: Image | Video) -> dict[str, torch.Tensor]:
        if image.digest in self._processed:
            self._processed.move_to_end(image.digest)
            return self._processed[image.digest]
        made = self._process(image)
        self._processed[image.digest] = made
        size = sum(map(_num_bytes, self._processed.values()))
        while size > MAX_PROCESSED_BYTES and len(self._processed) > 1:
            size -= _num_bytes(self._processed.popitem(last=False)[1])
        return made

    def _process(self, image: Image | Video) -> dict[str, torch.Tensor]:
        if isinstance(image, Video):
            made = self._video_processor(
                videos=[decode_video(image)],
                video_metadata=[video_metadata(image)],
                do_sample_frames=False,
                return_metadata=False,
                return_tensors="pt",
            )
            return {
                "pixel_values": made["pixel_values_videos"],
                "image_grid_thw": made["video_grid_thw"],
            }
        return dict(self._image_processor(images=[decode_image(image)], return_tensors="pt"))

    @functools.cached_property
    def _image_processor(self) -> Any:
        return load_image_processor(
            self._model_path, trust_code=self._trust_code, image_tokens=self._image_tokens
        )

    @functools.cached_property
    def _video_processor(self) -> Any:
        return load_video_processor(self._model_path, trust_code=self._trust_code)


def _frame_by_frame(grids: torch.Tensor) -> torch.Tensor:
    """Grids [N, 3] of time, height and width with one for each time."""
    single = grids.repeat_interleave(grids[:, 0], dim=0)
    single[:, 0] = 1
    return single


def _num_bytes(tensors: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def positions(mask: torch.Tensor) -> torch.Tensor:
    """The position [N, L] of every token in its row, padding not counted."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)
