"""What a packed row's tokens see: the rule, in the two forms in which it is computed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import create_block_mask
from torch.utils._python_dispatch import TorchDispatchMode

from rlcs.learner.attention import BLOCK, Branches, packed_attention
from rlcs.learner.packing import Tree

CPU = torch.device("cpu")
TREES = st.lists(
    st.builds(
        Tree,
        num_prompt_tokens=st.integers(1, 9),
        completion_lengths=st.lists(st.integers(1, 7), max_size=4).map(
            lambda lengths: tuple(sorted(lengths, reverse=True))
        ),
    ),
    min_size=1,
    max_size=4,
)
WINDOWS = st.none() | st.integers(1, 8)


def rule(trees: list[Tree], window: int | None) -> np.ndarray:
    """[L, L] bool by the definition: a prompt before it, and itself, of at most the window."""
    paths: list[tuple[int, list[int]]] = []
    end = 0
    for tree in trees:
        prompt = list(range(end, end + tree.num_prompt_tokens))
        end += tree.num_prompt_tokens
        paths += [(at, prompt[: number + 1]) for number, at in enumerate(prompt)]
        for length in tree.completion_lengths:
            own = list(range(end, end + length))
            end += length
            paths += [(at, prompt + own[: number + 1]) for number, at in enumerate(own)]
    seen = np.zeros((end, end), dtype=bool)
    for at, path in paths:
        seen[at, path[-window:] if window else path] = True
    return seen


@given(TREES, WINDOWS)
def test_the_block_mask_follows_the_rule(trees: list[Tree], window: int | None) -> None:
    length = sum(tree.num_tokens for tree in trees)
    padded = -(-length // BLOCK) * BLOCK
    mask = Branches(trees, padded, CPU).block_mask(window)
    places = torch.arange(padded)
    seen = mask.mask_mod(None, None, places[:, None], places[None, :]).numpy()
    assert (seen[:length, :length] == rule(trees, window)).all()
    assert not seen[:length, length:].any(), "nobody sees padding"
    assert not seen[length:, :length].any()
    assert (np.diagonal(seen)[length:]).all(), "padding sees itself: no row without a key"


LONG_TREES = [
    Tree(num_prompt_tokens=300, completion_lengths=(290, 150, 150, 7)),
    Tree(num_prompt_tokens=5, completion_lengths=(200, 1)),
]


@pytest.mark.parametrize("window", [None, 300])
def test_the_blocks_are_those_that_torch_finds(window: int | None) -> None:
    length = -(-sum(tree.num_tokens for tree in LONG_TREES) // BLOCK) * BLOCK
    ours = Branches(LONG_TREES, length, CPU).block_mask(window)
    torchs = create_block_mask(ours.mask_mod, None, None, length, length, device="cpu")
    assert ours.seq_lengths == torchs.seq_lengths
    for name in ("kv", "full_kv", "q", "full_q"):
        numbers, expected = (getattr(mask, f"{name}_num_blocks")[0, 0] for mask in (ours, torchs))
        assert numbers.tolist() == expected.tolist()
        assert numbers.any(), "a case without such blocks tests nothing"
        found, wanted = (getattr(mask, f"{name}_indices")[0, 0] for mask in (ours, torchs))
        for row, number in enumerate(numbers.tolist()):
            assert found[row, :number].tolist() == wanted[row, :number].tolist()


def test_a_block_mask_needs_no_memory_of_the_row_squared() -> None:
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, called, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            nonlocal largest
            made = called(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor):
                largest = max(largest, made.numel())
            return made

    length = 32 * BLOCK
    trees = [Tree(num_prompt_tokens=length - 100, completion_lengths=(100,))]
    with Watch():
        Branches(trees, length, CPU).block_mask(None)
    assert largest == BLOCK * length


@given(TREES, WINDOWS, st.integers(0, 2**31))
def test_tree_by_tree_it_is_attention_under_the_rule(
    trees: list[Tree], window: int | None, seed: int
) -> None:
    length = sum(tree.num_tokens for tree in trees)
    draw = torch.Generator().manual_seed(seed)
    query, key, value = (
        torch.randn(1, heads, length, 8, generator=draw, dtype=torch.float64) for heads in (4, 2, 2)
    )
    found, _ = packed_attention(
        torch.nn.Identity(),
        query,
        key,
        value,
        None,
        branches=Branches(trees, length, CPU),
        scaling=0.3,
        sliding_window=window,
    )
    expected = torch.nn.functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=torch.from_numpy(rule(trees, window)),
        scale=0.3,
        enable_gqa=True,
    )
    torch.testing.assert_close(found, expected.transpose(1, 2), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("trees", [[Tree(num_prompt_tokens=1, completion_lengths=())]])
def test_a_prompt_alone(trees: list[Tree]) -> None:
    value = torch.ones(1, 1, 1, 4)
    branches = Branches(trees, 1, CPU)
    found, _ = packed_attention(torch.nn.Identity(), value, value, value, None, branches=branches)
    assert found.shape == (1, 1, 1, 4)
