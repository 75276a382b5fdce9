"""The forward pass of a micro-batch: log-probabilities of its completions, each prompt read once.

The prompts go through the model first; their keys and values are repeated for the completions
that answer them, which go through it second. The result, and by autograd the gradient, is that
of rows made of prompt and completion, but a prompt of P tokens with G completions costs P
instead of G times P, forward and backward. With long prompts (pictures) that is most of a batch.

Models whose layers keep more than keys and values (state-space layers) get whole rows, which
cannot have pictures.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from rlcs.errors import ModelError
from rlcs.learner.losses import completion_logprobs
from rlcs.learner.packing import MicroBatch
from rlcs.model.loading import PromptReader, positions

KEY_VALUE_LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)
"""Cache layers that hold keys and values and nothing else."""


class CompletionForward:
    """Runs micro-batches through a model (a DeepSpeed engine around one)."""

    def __init__(
        self, engine: Any, device: torch.device, model_path: str, *, trust_code: bool = False
    ) -> None:
        """``model_path`` is where the engine's model was loaded from."""
        self.engine = engine
        self.device = device
        self.reader = PromptReader(engine.module, model_path, trust_code=trust_code)
        layers = DynamicCache(config=engine.module.config).layers
        self.can_share_prompts = all(type(layer) in KEY_VALUE_LAYERS for layer in layers)

    def logprobs(self, micro_batch: MicroBatch, *, temperature: float) -> torch.Tensor:
        """[R, T] log-probabilities of the completions' tokens at ``temperature``."""
        targets = self._tensor(micro_batch.completion_ids)
        if self._shares(micro_batch):
            first, rest = self._share_prompts(micro_batch)
            parts = ((first, targets[:, :1]), (rest, targets[:, 1:]))
            return torch.cat(
                [completion_logprobs(logits, ids, temperature) for logits, ids in parts], dim=1
            )
        return completion_logprobs(self._whole_rows(micro_batch), targets, temperature)

    def num_tokens(self, micro_batch: MicroBatch) -> int:
        """How many tokens :meth:`logprobs` runs the model on, padding included."""
        num_rows, columns = micro_batch.completion_ids.shape
        if self._shares(micro_batch):
            return micro_batch.prompt_ids.size + num_rows * columns
        return num_rows * (micro_batch.prompt_ids.shape[1] + columns)

    def _shares(self, micro_batch: MicroBatch) -> bool:
        if micro_batch.images and not self.can_share_prompts:
            raise ModelError(
                "this model has layers that keep more than keys and values, with which pictures "
                "are not supported. Take the problems with pictures out, or use another model."
            )
        wanted = micro_batch.shares_prompts or bool(micro_batch.images)
        return wanted and self.can_share_prompts

    def _share_prompts(self, micro_batch: MicroBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the completions' first tokens [R, 1, vocabulary], and of the others."""
        source = self._tensor(micro_batch.prompt_of_row)
        prompt_mask = self._tensor(micro_batch.prompt_mask)
        cache = DynamicCache(config=self.engine.module.config)
        read = self.reader.inputs(
            self._tensor(micro_batch.prompt_ids), prompt_mask, micro_batch.images
        )
        prompts = self.engine(
            **read.arguments, past_key_values=cache, logits_to_keep=1, use_cache=True
        ).logits
        cache.batch_select_indices(source)
        mask = torch.cat([prompt_mask[source], self._tensor(micro_batch.completion_mask)], dim=1)
        columns = micro_batch.completion_ids.shape[1]
        completions = self.engine(
            input_ids=self._tensor(micro_batch.completion_ids),
            attention_mask=mask.long(),
            position_ids=positions(mask)[:, -columns:] + read.shift[source],
            past_key_values=cache,
            use_cache=True,
        ).logits
        return prompts[source], completions[:, :-1]

    def _whole_rows(self, micro_batch: MicroBatch) -> torch.Tensor:
        """Logits of the completions' tokens [R, T, vocabulary]."""
        source = self._tensor(micro_batch.prompt_of_row)
        rows, mask = (
            torch.cat([self._tensor(prompts)[source], self._tensor(completions)], dim=1)
            for prompts, completions in (
                (micro_batch.prompt_ids, micro_batch.completion_ids),
                (micro_batch.prompt_mask, micro_batch.completion_mask),
            )
        )
        # The logit before a token predicts it: one column more, and the last one is not needed.
        logits: torch.Tensor = self.engine(
            input_ids=rows,
            attention_mask=mask.long(),
            position_ids=positions(mask),
            logits_to_keep=micro_batch.completion_ids.shape[1] + 1,
            use_cache=False,
        ).logits
        return logits[:, :-1]

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)
