"""Prompts about pictures, and what a whole forward pass says of their completions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor

from rlcs.model.loading import decode_image
from rlcs.rollout.engine import Sampling
from rlcs.types import Completion, Prompt

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=12, max_answer_tokens=6, force_answer="</think><answer>"
)
SIZES = [(112, 112), (112, 160), (56, 200), (112, 112)]


def logprobs_of(model: Any, model_path: str, prompt: Prompt, completion: Completion) -> np.ndarray:
    """[T] of a completion's tokens by one unpadded pass with the processor's own inputs."""
    processor: Any = AutoProcessor.from_pretrained(model_path)
    # The last token is not read: it may be one that stands for a picture.
    read = np.concatenate([prompt.token_ids, completion.token_ids[:-1]])
    inputs: dict[str, Any] = {
        "input_ids": torch.from_numpy(read)[None],
        "mm_token_type_ids": torch.tensor(processor.create_mm_token_type_ids([read.tolist()])),
    }
    if prompt.images:
        decoded = [decode_image(image) for image in prompt.images]
        inputs |= processor.image_processor(images=decoded, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs, use_cache=False).logits[0, len(prompt.token_ids) - 1 :].double()
    targets = torch.from_numpy(completion.token_ids)[:, None]
    return logits.log_softmax(-1).gather(-1, targets)[:, 0].numpy()
