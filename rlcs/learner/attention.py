"""Attention over a packed row: a completion sees its prompt and itself, nothing else.

The models of transformers look their attention up by a name and hand on what they were called
with, so that one function serves all of them. On a GPU it is FlexAttention (torch), whose block
mask says which blocks of the row see one another: nothing of the size of the row squared exists,
keys and values are not copied, and work that the mask forbids is not done. Elsewhere it is torch's
own attention, prompt by prompt and completion by completion, which does as little and is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface
from transformers.integrations.flex_attention import flex_attention_forward

from rlcs.errors import ModelError
from rlcs.learner.packing import Tree

NAME = "rlcs_packed"
"""Of this attention among those of transformers."""
BLOCK = 128
"""A row is padded to a multiple of this for FlexAttention."""


class Branches:
    """Where the trees of a row stand, as the attention of every layer needs it."""

    def __init__(self, trees: Sequence[Tree], num_tokens: int, device: torch.device) -> None:
        """``num_tokens`` may be more than the trees have: what follows them sees itself alone."""
        self.trees = trees
        self.num_tokens = num_tokens
        self.device = device
        self._block_masks: dict[int | None, Any] = {}
        self._masks: dict[tuple[int, int, int | None], torch.Tensor] = {}

    def mask(self, num_prompt: int, length: int, window: int | None) -> torch.Tensor:
        """[length, num_prompt + length] bool, what a completion of ``length`` tokens sees."""
        key = num_prompt, length, window
        if key not in self._masks:
            seen = torch.ones(length, num_prompt + length, dtype=torch.bool, device=self.device)
            seen = seen.tril(num_prompt)
            if window is not None:
                seen = seen.triu(num_prompt - window + 1)
            self._masks[key] = seen
        return self._masks[key]

    def block_mask(self, window: int | None) -> Any:
        """The same for the whole row, as FlexAttention wants it."""
        if window not in self._block_masks:
            self._block_masks[window] = self._make_block_mask(window)
        return self._block_masks[window]

    def _make_block_mask(self, window: int | None) -> Any:
        """Made a block of queries at a time: torch's own way needs the row squared once.

        Raises:
            ValueError: the row is not a multiple of ``BLOCK`` tokens long.
        """
        from torch.nn.attention.flex_attention import BlockMask

        if self.num_tokens % BLOCK:
            raise ValueError(f"expected a multiple of {BLOCK} tokens, found {self.num_tokens}")
        tree, branch, place = (
            torch.tensor(numbers, device=self.device) for numbers in self._numbers()
        )

        def sees(_batch: Any, _head: Any, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
            in_path = (branch[key] == 0) | (branch[key] == branch[query])
            seen = (tree[query] == tree[key]) & in_path & (query >= key)
            return seen if window is None else seen & (place[query] - place[key] < window)

        tokens = torch.arange(self.num_tokens, device=self.device)
        any_seen, all_seen = [], []
        for queries in tokens.split(BLOCK):
            seen = sees(None, None, queries[:, None], tokens).unflatten(1, (-1, BLOCK))
            any_seen.append(seen.any(dim=0).any(dim=-1))
            all_seen.append(seen.all(dim=0).all(dim=-1))
        full = torch.stack(all_seen)
        partial = torch.stack(any_seen) & ~full
        return BlockMask.from_kv_blocks(
            *_listed(partial), *_listed(full),
            BLOCK_SIZE=BLOCK, mask_mod=sees, seq_lengths=(self.num_tokens, self.num_tokens),
        )  # fmt: skip

    def _numbers(self) -> tuple[list[int], list[int], list[int]]:
        """Of every token its tree, its branch (0 is the prompt) and its place in its path."""
        tree_of: list[int] = []
        branch_of: list[int] = []
        place_of: list[int] = []
        for number, tree in enumerate(self.trees):
            prompt = tree.num_prompt_tokens
            tree_of += [number] * tree.num_tokens
            branch_of += [0] * prompt
            place_of += range(prompt)
            for branch, length in enumerate(tree.completion_lengths, start=1):
                branch_of += [branch] * length
                place_of += range(prompt, prompt + length)
        padding = self.num_tokens - len(tree_of)
        return (
            tree_of + [len(self.trees)] * padding,
            branch_of + list(range(padding)),
            place_of + [0] * padding,
        )


def _listed(blocks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[1, 1, rows] how many of [rows, columns] bool are true, and [1, 1, rows, columns] which."""
    order = torch.argsort(blocks.int(), dim=-1, descending=True, stable=True)
    counts = blocks.sum(dim=-1)
    return counts.int()[None, None], order.int()[None, None]


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    branches: Branches | None = None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it: [1, heads, L, size] to [1, L, heads, size].

    Raises:
        ModelError: the model does not hand on what it was called with, or asks for something
            that is not done here.
    """
    if branches is None or options.get("dropout"):
        raise ModelError(
            f"{type(module).__name__} cannot be trained on packed rows: expected a model of "
            "transformers that hands its keyword arguments on to its attention and has no "
            "attention dropout. Use another model, or set attention_dropout to 0 in its "
            "config.json."
        )
    if query.device.type == "cuda":
        output, _ = flex_attention_forward(
            module,
            query,
            key,
            value,
            branches.block_mask(sliding_window),
            scaling=scaling,
            softcap=options.get("softcap"),
        )
        return output, None
    if options.get("softcap") is not None:
        raise ModelError(f"{type(module).__name__}: attention with soft capping needs a GPU.")
    return _tree_by_tree(query, key, value, branches, scaling, sliding_window), None


def _tree_by_tree(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    branches: Branches,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    options: dict[str, Any] = {"scale": scaling, "enable_gqa": query.shape[1] != key.shape[1]}
    outputs: list[torch.Tensor] = []
    for (prompt, *completions), lengths in _segments(query, key, value, branches.trees):
        prompt_query, prompt_key, prompt_value = prompt
        num_prompt = prompt_query.shape[2]
        short = window is None or num_prompt <= window
        prompt_mask = None if short else branches.mask(0, num_prompt, window)
        outputs.append(
            F.scaled_dot_product_attention(
                prompt_query,
                prompt_key,
                prompt_value,
                attn_mask=prompt_mask,
                is_causal=prompt_mask is None,
                **options,
            )
        )
        for (number, length), alike in zip(lengths, completions, strict=True):
            own_query, own_key, own_value = (
                # [1, heads, number * length, size] to [number, heads, length, size]
                part.squeeze(0).unflatten(1, (number, length)).transpose(0, 1)
                for part in alike
            )
            seen = F.scaled_dot_product_attention(
                own_query,
                torch.cat([prompt_key.expand(number, -1, -1, -1), own_key], dim=2),
                torch.cat([prompt_value.expand(number, -1, -1, -1), own_value], dim=2),
                attn_mask=branches.mask(num_prompt, length, window),
                **options,
            )
            outputs.append(seen.transpose(0, 1).flatten(1, 2)[None])
    return torch.cat(outputs, dim=2).transpose(1, 2)


def _segments(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, trees: Sequence[Tree]
) -> Iterator[tuple[list[tuple[torch.Tensor, ...]], list[tuple[int, int]]]]:
    """Of each tree its prompt and its completions of one length, and (number, length) of these.

    Everything is split at once: the gradient of a split is put together in one copy, that of a
    slice fills a tensor of the whole row with zeros, for every slice anew.
    """
    # Completions stand longest first, so that those of one length are neighbours.
    lengths = [
        [(len(list(alike)), length) for length, alike in itertools.groupby(tree.completion_lengths)]
        for tree in trees
    ]
    sizes = [
        size
        for tree, alike in zip(trees, lengths, strict=True)
        for size in (tree.num_prompt_tokens, *(number * length for number, length in alike))
    ]
    padding = query.shape[2] - sum(sizes)
    parts = zip(
        *(part.split([*sizes, padding], dim=2) for part in (query, key, value)), strict=True
    )
    for alike in lengths:
        yield list(itertools.islice(parts, 1 + len(alike))), alike


AttentionInterface.register(NAME, packed_attention)
