"""The block cache holds what transformers' own cache holds, whatever is done to it."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, DynamicCache
from transformers.cache_utils import DynamicLayer

from rlcs.rollout.engines.transformers.cache import BLOCK_TOKENS, BlockLayer, new_cache

ROWS, HEADS, SIZE = 3, 2, 4

appends = st.tuples(st.just("append"), st.integers(1, BLOCK_TOKENS + 40))
selections = st.tuples(st.just("select"), st.lists(st.integers(0, 99), min_size=1, max_size=6))
repeats = st.tuples(st.just("repeat"), st.integers(1, 2))
reorders = st.tuples(st.just("reorder"), st.integers(0, 99))
crops = st.tuples(st.just("crop"), st.integers(1, 5))
resets = st.tuples(st.just("reset"), st.none())


def apply(layer: DynamicLayer, kind: str, argument: object, new: torch.Tensor) -> None:
    """Do one thing to a layer."""
    num_rows = len(new)
    if kind == "append":
        keys, values = layer.update(new, -new)
        assert torch.equal(keys, -values)
    elif kind == "select":
        layer.batch_select_indices(torch.tensor([index % num_rows for index in argument]))
    elif kind == "repeat":
        layer.batch_repeat_interleave(argument)
    elif kind == "reorder":
        layer.reorder_cache(torch.arange(num_rows).roll(argument))
    elif kind == "crop":
        layer.crop(-argument)
    else:
        layer.reset()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(appends, appends, selections, repeats, reorders, crops, resets), max_size=9)
)
def test_same_as_the_dynamic_layer(actions: list[tuple[str, object]]) -> None:
    ours, theirs = BlockLayer(), DynamicLayer()
    generator = torch.Generator().manual_seed(0)
    num_rows = ROWS
    for kind, argument in actions:
        length = theirs.get_seq_length()
        if kind != "append" and length == 0:
            continue
        if kind == "crop" and argument >= length:
            continue
        columns = argument if kind == "append" else 1
        new = torch.randn(num_rows, HEADS, columns, SIZE, generator=generator)
        apply(ours, kind, argument, new)
        apply(theirs, kind, argument, new)
        assert ours.get_seq_length() == theirs.get_seq_length()
        if theirs.keys is None:
            num_rows = ROWS
            continue
        assert torch.equal(ours.keys, theirs.keys)
        assert torch.equal(ours.values, theirs.values)
        num_rows = len(theirs.keys)


def test_what_was_returned_does_not_change_later() -> None:
    """A view handed to the model must not be overwritten by the next token."""
    layer = BlockLayer()
    keys, _ = layer.update(torch.ones(1, 1, 5, 2), torch.ones(1, 1, 5, 2))
    before = keys.clone()
    layer.update(torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2))
    assert torch.equal(keys, before)


def test_a_model_reads_the_same_from_both(tiny_model: str, reference_model: torch.nn.Module):
    config = AutoConfig.from_pretrained(tiny_model)
    ours, theirs = new_cache(config), DynamicCache(config=config)
    assert {type(layer) for layer in ours.layers} == {BlockLayer}
    token_ids = torch.randint(11, 300, (4, 90), generator=torch.Generator().manual_seed(1))
    pieces = [token_ids[:, :7], *token_ids[:, 7:].split(1, dim=1)]
    with torch.no_grad():
        for piece in pieces:
            logits = [
                reference_model(piece, past_key_values=cache, use_cache=True).logits
                for cache in (ours, theirs)
            ]
            assert torch.equal(*logits)
