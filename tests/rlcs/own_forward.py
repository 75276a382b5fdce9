"""What a model itself says of a text about pictures, by its own processor's inputs, and
completions to ask it about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor
from transformers.video_utils import VideoMetadata

from rlcs.model.loading import decode_image, decode_video
from rlcs.model.video_files import examine
from rlcs.model.vision import limit_image_tokens
from rlcs.types import Image, Prompt, TrainingSample, Video

FRAME_SECONDS = 0.1
"""How long each frame of the tests' videos is to be seen."""


def own_processor(model_path: str, image_tokens: Any = None) -> Any:
    processor: Any = AutoProcessor.from_pretrained(model_path)
    limit_image_tokens(processor.image_processor, image_tokens, model_path)
    return processor


def own_metadata(video: Video) -> VideoMetadata:
    """As whoever decodes a file of a steady rate tells a processor of it."""
    number = len(examine(video.read()[0]).times)
    return VideoMetadata(
        total_num_frames=number, fps=1 / FRAME_SECONDS, frames_indices=list(video.frames)
    )


def own_inputs(processor: Any, prompt: Prompt, token_ids: np.ndarray) -> dict[str, Any]:
    """The inputs of one row ``token_ids``: ``prompt`` and what follows it."""
    types = processor.create_mm_token_type_ids([prompt.token_ids.tolist()])[0]
    inputs: dict[str, Any] = {
        "input_ids": torch.from_numpy(token_ids)[None],
        "mm_token_type_ids": torch.tensor([types + [0] * (len(token_ids) - len(types))]),
    }
    images = [decode_image(each) for each in prompt.images if isinstance(each, Image)]
    videos = [each for each in prompt.images if isinstance(each, Video)]
    if images:
        inputs |= processor.image_processor(images=images, return_tensors="pt")
    if videos:
        told = [own_metadata(video) for video in videos]
        inputs |= processor.video_processor(
            videos=[decode_video(video) for video in videos],
            video_metadata=told,
            do_sample_frames=False,
            return_tensors="pt",
        )
        if "qwen" in type(processor).__name__.lower():
            inputs["second_per_grid_ts"] = torch.tensor([2 / each.sampled_fps for each in told])
    return inputs


def own_logprobs(model: Any, processor: Any, prompt: Prompt, drawn: np.ndarray) -> torch.Tensor:
    """[T] log-probabilities of the tokens ``drawn`` after ``prompt``, in a row of their own."""
    # The last token is not read: it may be one that stands for a picture.
    read = np.concatenate([prompt.token_ids, drawn[:-1]])
    logits = model(**own_inputs(processor, prompt, read), use_cache=False).logits
    predicted = logits[0, len(prompt.token_ids) - 1 :].log_softmax(-1)
    return predicted.gather(-1, torch.from_numpy(drawn)[:, None])[:, 0]


def completed(prompts: Sequence[Prompt], lengths: Sequence[int]) -> list[TrainingSample]:
    """Completions of the same random tokens each time: ``lengths`` of them for each prompt."""
    draw = np.random.default_rng(0)
    return [
        TrainingSample(
            token_ids=np.concatenate([prompt.token_ids, draw.integers(20, 300, length)]),
            num_prompt_tokens=len(prompt.token_ids),
            old_logprobs=np.zeros(length, dtype=np.float32),
            loss_mask=np.ones(length, dtype=bool),
            advantage=1.0,
            images=prompt.images,
        )
        for prompt in prompts
        for length in lengths
    ]
