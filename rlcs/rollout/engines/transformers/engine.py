"""The embedded engine: transformers models, no GPU and no extra install needed.

Prompts are sorted by length and cut into batches under a token budget. A prompt is read
once for its whole group; then a token is sampled for every row at a time, and rows that have
ended leave the batch, so that a long tail does not pay for the short ones.

Left out: admitting new rows while a batch runs (the vLLM engine is for that), and top-p,
top-k and repetition penalties, which would make the logged log-probabilities those of
another policy than the one that is trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from rlcs.errors import ModelError
from rlcs.model.loading import load_model, load_part
from rlcs.model.lora import adapter_parameters, add_adapters
from rlcs.model.prompt_reader import PromptReader
from rlcs.model.weights import Probe, Weights, load_arrays
from rlcs.rollout.engine import GroupRequest, Progress, Sampling, complete_version
from rlcs.rollout.engines.transformers.cache import BlockLayer, new_cache
from rlcs.rollout.engines.transformers.sampling import RowState
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Completion, Prompt


class TransformersEngine:
    """An :class:`~rlcs.rollout.engine.Engine` around a model of transformers."""

    def __init__(self, settings: EngineSettings) -> None:
        """Load the model as version 0.

        Raises:
            ModelError: there is no model that can be loaded.
        """
        path = settings.model_path
        if Path(path).exists() and not (Path(path) / "config.json").exists():
            raise ModelError(f"expected a model folder with config.json, found none in {path}.")
        self.settings = settings
        self.tokenizer = load_part(AutoTokenizer, path, trust_code=settings.trust_code)
        model = load_model(path, settings.dtype, trust_code=settings.trust_code)
        if settings.lora:
            model = add_adapters(model, settings.lora)
        self.model: Any = model.to(settings.device).eval()
        self.reader = PromptReader(
            model, path, trust_code=settings.trust_code, image_tokens=settings.image_tokens
        )
        self.device = torch.device(settings.device)
        self._version: int | None = 0
        self._taken_in: dict[int, tuple[Sequence[GroupRequest], Sampling]] = {}

    @property
    def policy_version(self) -> int:
        """The version served."""
        return complete_version(self._version)

    def load_weights(
        self, version: int, buckets: Iterable[Weights], probe: Probe | None = None
    ) -> None:
        """Replace all weights; until the last is in place no version is served."""
        self._version = None
        load_arrays(self._loaded_parameters(), buckets)
        if probe is not None:
            probe.check(self._logprobs(probe.prompt))
        self._version = version

    def sleep(self) -> None:
        """Move the weights to the host."""
        self.model.to("cpu")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # what torch keeps for itself is not free for others

    def wake(self) -> None:
        """Move the weights back."""
        self.model.to(self.device)

    @torch.inference_mode()
    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """One group a request, in order; see :class:`~rlcs.rollout.engine.Engine`."""
        version = self.policy_version
        groups: list[list[Completion]] = [[] for _ in requests]
        for batch in self._batches(requests, sampling):
            rows = self._sample_batch([part for _, part in batch], sampling)
            completions = iter(rows.completions(self.tokenizer, version))
            for index, part in batch:
                groups[index] += [next(completions) for _ in part.seeds]
        return [tuple(group) for group in groups]

    def add(self, key: int, requests: Sequence[GroupRequest], sampling: Sampling) -> None:
        """Take in a work item; see :class:`~rlcs.rollout.engine.Engine`."""
        self._taken_in[key] = requests, sampling

    def advance(self, num_left: int = 0) -> Progress:
        """Answer all that was taken in, one item after the other."""
        taken_in = dict(self._taken_in)
        self.drop()
        answers = {key: self.generate(*work) for key, work in taken_in.items()}
        return Progress(answers=answers, num_open=0)

    def drop(self) -> None:
        """Give up what was taken in."""
        self._taken_in.clear()

    def close(self) -> None:
        """Drop the model."""
        self._version = None
        del self.model

    def _loaded_parameters(self) -> dict[str, torch.Tensor]:
        """What comes as weights, by the names that the learner publishes; tied ones once."""
        if self.settings.lora:
            return dict(adapter_parameters(self.model))
        return dict(self.model.named_parameters(remove_duplicate=True))

    @torch.inference_mode()
    def _logprobs(self, prompt: Prompt) -> np.ndarray:
        """[L - 1] log-probabilities of a prompt's tokens after the first, at temperature 1."""
        row = torch.from_numpy(prompt.token_ids)[None].to(self.device)
        read = self.reader.inputs(row, torch.ones_like(row).bool(), prompt.images)
        logits = self.model(**read.arguments, use_cache=False).logits[:, :-1].float()
        chosen = logits.log_softmax(-1).gather(-1, row[:, 1:, None])[0, :, 0]
        return chosen.cpu().numpy()

    def _batches(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> Iterator[list[tuple[int, GroupRequest]]]:
        """Requests with their indices, longest prompts first, each batch within the token budget.

        A group stays together unless it is over the budget alone; then it comes in parts.
        """
        sampled = sampling.max_sampled_tokens + len(self._force_ids(sampling))
        order = sorted(
            range(len(requests)), key=lambda index: -len(requests[index].prompt.token_ids)
        )
        batch: list[tuple[int, GroupRequest]] = []
        room = 0
        for index in order:
            prompt, seeds = requests[index].prompt, requests[index].seeds
            while seeds:
                if batch and len(seeds) > room:
                    yield batch
                    batch = []
                if not batch:
                    room = max(1, self.settings.batch_tokens // (len(prompt.token_ids) + sampled))
                part = GroupRequest(prompt=prompt, seeds=seeds[:room])
                batch.append((index, part))
                seeds = seeds[len(part.seeds) :]
                room -= len(part.seeds)
        if batch:
            yield batch

    def _force_ids(self, sampling: Sampling) -> list[int]:
        if sampling.force_answer is None:
            return []
        ids: list[int] = self.tokenizer.encode(sampling.force_answer, add_special_tokens=False)
        return ids

    def _sample_batch(self, requests: Sequence[GroupRequest], sampling: Sampling) -> RowState:
        cache, mask, positions, logits = self._prefill(requests)
        rows = RowState(
            requests,
            sampling,
            force_ids=self._force_ids(sampling),
            eos_token_ids=self.settings.eos_token_ids,
            tokenizer=self.tokenizer,
            device=self.device,
        )
        while True:
            tokens = rows.sample(logits)
            kept = rows.drop_ended()
            if kept is not None:
                if not len(kept):
                    return rows
                cache.batch_select_indices(kept)
                mask, positions, tokens = mask[kept], positions[kept], tokens[kept]
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=-1)
            logits = self._forward(
                input_ids=tokens[:, None],
                attention_mask=self._step_mask(mask, cache),
                position_ids=positions[:, None],
                past_key_values=cache,
            )
            positions = positions + 1

    def _prefill(
        self, requests: Sequence[GroupRequest]
    ) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Read each prompt once.

        Returns, for all rows, the cache, the mask, the position of the next token and its logits.
        """
        longest = max(len(request.prompt.token_ids) for request in requests)
        token_ids = torch.zeros(len(requests), longest, dtype=torch.long)
        mask = torch.zeros(len(requests), longest, dtype=torch.bool)
        for row, request in enumerate(requests):
            prompt = request.prompt.token_ids
            token_ids[row, longest - len(prompt) :] = torch.from_numpy(np.array(prompt))
            mask[row, longest - len(prompt) :] = True
        token_ids, mask = token_ids.to(self.device), mask.to(self.device)
        images = [image for request in requests for image in request.prompt.images]
        read = self.reader.inputs(token_ids, mask, images)
        cache = new_cache(self.model.config)
        logits = self._forward(**read.arguments, past_key_values=cache)
        positions = mask.sum(-1) + read.shift[:, 0]
        repeats = torch.tensor([len(request.seeds) for request in requests], device=self.device)
        source = torch.arange(len(requests), device=self.device).repeat_interleave(repeats)
        cache.batch_select_indices(source)
        return cache, mask[source], positions[source], logits[source]

    def _step_mask(self, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """``mask`` [A, L] as the attention of one new token takes it, [A, 1, 1, L].

        That spares the model from building one at every token. Eager attention would add the
        truth values up, and a sliding window sees a part only: these build their own.
        """
        plain = all(type(layer) is BlockLayer for layer in cache.layers)
        if plain and self.model.config._attn_implementation == "sdpa":
            return mask[:, None, None, :]
        return mask.long()

    def _forward(self, **inputs: Any) -> torch.Tensor:
        """Logits of the last position, [rows, vocabulary] float32."""
        output = self.model(**inputs, use_cache=True, logits_to_keep=1)
        logits: torch.Tensor = output.logits[:, -1].float()
        return logits
