"""The comparison of samplers: made-up learning curves in, costs and ratios by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def script(load_script: Callable[[str], ModuleType]) -> ModuleType:
    return load_script("bench_sampling_report")


def curve(*accuracies: float) -> list[dict[str, Any]]:
    """A point at every 100 completions."""
    return [{"completions": 100 * i, "accuracy": value} for i, value in enumerate(accuracies)]


def finished(sampler: str, seed: int, *accuracies: float) -> dict[str, Any]:
    numbers = ("trained_token_share", "valid_share", "brier", "brier_baseline")
    return {
        "sampler": sampler,
        "seed": seed,
        "completions": 300,
        "curve": curve(*accuracies),
        **dict.fromkeys(numbers, 0.25),
    }


def test_a_dip_is_pooled_with_what_came_before(script: ModuleType) -> None:
    assert script.monotone([1, 3, 2, 5]).tolist() == [1, 2.5, 2.5, 5]
    assert script.monotone([4, 3, 2]).tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    ("target", "expected", "reason"),
    [
        (0.1, 0.0, "there from the start"),
        (0.2, 50.0, "half the way from 0 to 100"),
        (0.5, 300.0, "at the last point"),
        (0.6, None, "never"),
    ],
)
def test_the_cost_is_where_the_curve_crosses(
    script: ModuleType, target: float, expected: float | None, reason: str
) -> None:
    assert script.cost(curve(0.1, 0.3, 0.3, 0.5), target, 300) == pytest.approx(expected), reason


def test_completions_beyond_the_budget_do_not_count(script: ModuleType) -> None:
    assert script.cost(curve(0.1, 0.5), 0.4, 50) == 50.0
    result = {"completions": 50, "curve": curve(0.1, 0.5)}
    assert script.final_accuracy(result) == pytest.approx(0.3)


def test_ratios_are_paired_by_seed(script: ModuleType) -> None:
    results = [
        finished("uniform", 0, 0.0, 0.1, 0.2, 0.3),
        finished("uniform", 1, 0.0, 0.2, 0.4, 0.6),
        finished("dapo", 0, 0.0, 0.1, 0.1, 0.1),
        finished("dapo", 1, 0.0, 0.6, 0.6, 0.6),
        finished("rlcs", 0, 0.0, 0.3, 0.3, 0.3),
        finished("rlcs", 1, 0.0, 0.6, 0.6, 0.6),
        finished("rlcs", 2, 0.0, 0.0, 0.0, 0.0),
    ]
    summary = script.compare(results)
    assert summary["seeds"] == [0, 1], "seed 2 has no other sampler beside it"
    rows = summary["samplers"]
    assert rows["uniform"]["over_uniform"] == pytest.approx((1, 1, 1))
    assert rows["rlcs"]["over_uniform"] == pytest.approx((1 / 3,) * 3)
    assert rows["dapo"]["never_reached"] == [0]
    assert rows["dapo"]["cost"] == [300.0, 100.0]
    mean, low, high = rows["dapo"]["over_uniform"]
    assert mean == pytest.approx(3**-0.5)
    assert low < mean < high
    assert "never in 1" in script.table(summary)
