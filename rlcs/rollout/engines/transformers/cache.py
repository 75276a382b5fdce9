"""A key-value cache that grows in blocks instead of being copied at every token."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

BLOCK_TOKENS = 64
"""Room added when the buffer is full; copies are made once a block."""


class BlockLayer(DynamicLayer):
    """One layer's keys and values as a view of a larger buffer.

    transformers' own layer concatenates at every token, which copies the whole cache each
    time: on a CPU with many rows that costs more than the model itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.buffer: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values, each [rows, heads, new tokens, head size]; returns all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        length = self.get_seq_length()
        total = length + key_states.shape[-2]
        if self.buffer is None or self.buffer[0].shape[-2] < total:
            self.buffer = self._grow(key_states, length, total)
        keys, values = self.buffer
        keys[..., length:total, :] = key_states
        values[..., length:total, :] = value_states
        self.keys, self.values = keys[..., :total, :], values[..., :total, :]
        return self.keys, self.values

    def _grow(
        self, like: torch.Tensor, length: int, total: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (*like.shape[:-2], total + BLOCK_TOKENS, like.shape[-1])
        keys, values = like.new_empty(shape), like.new_empty(shape)
        if self.keys is not None and self.values is not None and length:
            keys[..., :length, :] = self.keys
            values[..., :length, :] = self.values
        return keys, values

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Each row ``repeats`` times, in place of the row."""
        super().batch_repeat_interleave(repeats)
        self.buffer = None

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep the rows ``indices`` [rows kept]."""
        super().batch_select_indices(indices)
        self.buffer = None

    def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
        """The rows in another order."""
        super().reorder_cache(beam_idx)
        self.buffer = None

    def reset(self) -> None:
        """Hold nothing, for any number of rows."""
        super().reset()
        self.buffer = None


def new_cache(config: PreTrainedConfig) -> DynamicCache:
    """An empty cache for a model; layers that are not plain attention stay as they are."""
    cache = DynamicCache(config=config)
    cache.layers = [
        BlockLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache
