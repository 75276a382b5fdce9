"""The forward pass of a micro-batch: from a packed row to what the model says of its tokens.

Models whose layers keep more than keys and values (state-space layers) cannot tell the branches of
a packed row apart. They get whole rows, each prompt with each of its completions, padded to the
longest; pictures are not supported with them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from rlcs.config import ImageTokensSection
from rlcs.errors import ModelError
from rlcs.learner.attention import BLOCK, Branches
from rlcs.learner.packing import MicroBatch, Tree
from rlcs.learner.policy import Policy
from rlcs.learner.rank_settings import RankSettings
from rlcs.model.loading import blank_image, load_model
from rlcs.model.prompt_reader import PromptReader
from rlcs.types import Image, Prompt, Video


class PackedForward:
    """Runs micro-batches through a policy, or a DeepSpeed engine around one."""

    def __init__(
        self,
        engine: Any,
        device: torch.device,
        model_path: str,
        *,
        trust_code: bool = False,
        image_tokens: ImageTokensSection | None = None,
    ) -> None:
        """``model_path`` is where the policy was loaded from."""
        self.engine = engine
        self.device = device
        self.policy: Policy = engine if isinstance(engine, Policy) else engine.module
        self.reader = PromptReader(
            self.policy.plain, model_path, trust_code=trust_code, image_tokens=image_tokens
        )

    def token_outputs(
        self, micro_batch: MicroBatch, *, temperature: float, learn_entropy: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities [K] of the tokens with a loss at ``temperature``, and entropies [K],
        which have a gradient with ``learn_entropy`` alone."""
        if not self.policy.packs:
            return self._whole_rows(micro_batch, temperature, learn_entropy)
        trees, images = [*micro_batch.trees], [*micro_batch.images]
        token_ids = self._without_drawn_images(torch.from_numpy(micro_batch.token_ids), trees)
        if micro_batch.needs_vision and not any(images):
            blank = self._blank_ids
            token_ids = torch.cat([token_ids, blank])
            trees.append(Tree(num_prompt_tokens=len(blank), completion_lengths=()))
            images.append((blank_image(),))
        return self._call(
            token_ids,
            trees,
            images,
            self._tensor(micro_batch.read_at),
            self._tensor(micro_batch.targets),
            temperature,
            learn_entropy=learn_entropy,
        )

    def prompt_logprobs(self, prompt: Prompt) -> torch.Tensor:
        """[P - 1] log-probabilities of all tokens of ``prompt`` but the first."""
        token_ids = torch.from_numpy(prompt.token_ids)
        places = torch.arange(len(token_ids) - 1, device=self.device)
        if not self.policy.packs:
            row = token_ids[None].to(self.device)
            return self.engine(places, row[0, 1:], 1.0, input_ids=row)[0]
        tree = Tree(num_prompt_tokens=len(token_ids), completion_lengths=())
        targets = token_ids[1:].to(self.device)
        return self._call(token_ids, [tree], [prompt.images], places, targets, 1.0)[0]

    def num_tokens(self, micro_batch: MicroBatch) -> int:
        """How many tokens :meth:`token_outputs` runs the model on."""
        if self.policy.packs:
            return len(micro_batch.token_ids)
        lengths = [len(row) for row in _rows(micro_batch)]
        return max(lengths) * len(lengths)

    def _call(
        self,
        token_ids: torch.Tensor,
        trees: list[Tree],
        images: list[tuple[Image | Video, ...]],
        read_at: torch.Tensor,
        targets: torch.Tensor,
        temperature: float,
        *,
        learn_entropy: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        positions = self._positions(token_ids, trees, images)
        padding = -len(token_ids) % BLOCK if self.device.type == "cuda" else 0
        token_ids = torch.nn.functional.pad(token_ids, (0, padding))
        positions = torch.nn.functional.pad(positions, (0, padding))
        outputs: tuple[torch.Tensor, torch.Tensor] = self.engine(
            read_at,
            targets,
            temperature,
            learn_entropy=learn_entropy,
            input_ids=self.reader.as_pictures(token_ids)[None].to(self.device),
            position_ids=positions.to(self.device),
            branches=Branches(trees, len(token_ids), self.device),
            **self.reader.pixels([each for shown in images for each in shown], self.device),
        )
        return outputs

    def _without_drawn_images(self, token_ids: torch.Tensor, trees: list[Tree]) -> torch.Tensor:
        """``token_ids`` without tokens that stand for a picture in completions.

        One that was sampled has ended its completion, so that nobody reads what comes out of it;
        but the model would look for its picture.
        """
        drawn = torch.isin(token_ids, torch.tensor(self.reader.image_token_ids, dtype=torch.long))
        start = 0
        for tree in trees:
            drawn[start : start + tree.num_prompt_tokens] = False
            start += tree.num_tokens
        return token_ids.masked_fill(drawn, 0)

    def _positions(
        self, token_ids: torch.Tensor, trees: list[Tree], images: list[tuple[Image | Video, ...]]
    ) -> torch.Tensor:
        """[1, L] positions, [3, 1, L] where pictures have places: a branch goes on as its prompt
        would."""
        parts, start = [], 0
        for tree, shown in zip(trees, images, strict=True):
            prompt_ids = token_ids[start : start + tree.num_prompt_tokens]
            of_prompt = self.reader.prompt_positions(prompt_ids, shown)
            parts.append(of_prompt)
            after = of_prompt.max() + 1
            for length in tree.completion_lengths:
                of_branch = after + torch.arange(length)
                parts.append(of_branch.expand(*of_prompt.shape[:-1], length))
            start += tree.num_tokens
        return torch.cat(parts, dim=-1)

    @functools.cached_property
    def _blank_ids(self) -> torch.Tensor:
        """The tokens of the smallest picture."""
        return self.reader.image_tokens(blank_image())

    def _whole_rows(
        self, micro_batch: MicroBatch, temperature: float, learn_entropy: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if micro_batch.needs_vision:
            raise ModelError(
                "this model has layers that keep more than keys and values, with which pictures "
                "are not supported. Take the problems with pictures out, or use another model."
            )
        rows = list(_rows(micro_batch))
        longest = max(map(len, rows))
        token_ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros_like(token_ids)
        for number, row in enumerate(rows):
            token_ids[number, : len(row)] = torch.from_numpy(row)
            mask[number, : len(row)] = 1
        read_at = np.concatenate(list(_places_in_rows(micro_batch, longest)))
        outputs: tuple[torch.Tensor, torch.Tensor] = self.engine(
            self._tensor(read_at),
            self._tensor(micro_batch.targets),
            temperature,
            learn_entropy=learn_entropy,
            input_ids=token_ids.to(self.device),
            attention_mask=mask.to(self.device),
        )
        return outputs

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


def load_reference(settings: RankSettings, device: torch.device) -> PackedForward:
    """A copy of the model as it was loaded, which is not trained."""
    model = load_model(settings.model_path, settings.dtype, trust_code=settings.trust_code)
    policy = Policy(model.to(device).requires_grad_(False), recompute_activations=False).eval()
    return PackedForward(
        policy,
        device,
        settings.model_path,
        trust_code=settings.trust_code,
        image_tokens=settings.image_tokens,
    )


def _rows(micro_batch: MicroBatch) -> Iterator[np.ndarray]:
    """Each prompt with each of its completions."""
    end = 0
    for tree in micro_batch.trees:
        start, end = end, end + tree.num_prompt_tokens
        prompt = micro_batch.token_ids[start:end]
        for length in tree.completion_lengths:
            yield np.concatenate([prompt, micro_batch.token_ids[end : end + length]])
            end += length


def _places_in_rows(micro_batch: MicroBatch, longest: int) -> Iterator[np.ndarray]:
    """Where the outputs that ``read_at`` names in the packed row stand in the flat whole rows."""
    row = end = 0
    for tree in micro_batch.trees:
        end += tree.num_prompt_tokens
        last_of_prompt = end - 1
        for length in tree.completion_lengths:
            read = micro_batch.read_at[micro_batch.row_of_token == row]
            place = np.where(
                read == last_of_prompt,
                tree.num_prompt_tokens - 1,
                read - end + tree.num_prompt_tokens,
            )
            yield row * longest + place
            row, end = row + 1, end + length
