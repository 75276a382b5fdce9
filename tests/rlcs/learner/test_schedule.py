"""Learning rates against tables computed by hand."""

from __future__ import annotations

import pytest

from rlcs.config import OptimiserSection
from rlcs.learner.schedule import learning_rate

HALF = 0.5**0.5 / 2 + 0.5
"""(1 + cos(pi / 4)) / 2: an eighth of the way along the cosine."""

TABLE = [
    pytest.param("constant", 0, [1, 1, 1, 1], id="no warm-up"),
    pytest.param("constant", 3, [0.25, 0.5, 0.75, 1, 1], id="warm-up starts above zero"),
    pytest.param("linear", 0, [1, 0.75, 0.5, 0.25], id="a line that ends at zero after the last"),
    pytest.param("linear", 1, [0.5, 1, 0.75, 0.5, 0.25], id="warm-up, then a line"),
    pytest.param("cosine", 0, [1, HALF, 0.5, 1 - HALF], id="half a cosine"),
    pytest.param("cosine", 2, [1 / 3, 2 / 3, 1, 0.5], id="warm-up, then a cosine"),
    pytest.param("cosine", 9, [0.1, 0.2, 0.3], id="a warm-up longer than the run"),
    pytest.param("linear", 3, [0.25, 0.5, 0.75], id="a warm-up as long as the run"),
]


@pytest.mark.parametrize("peak", [1.0, 3e-6])
@pytest.mark.parametrize(("schedule", "warmup_steps", "rates"), TABLE)
def test_learning_rate(schedule, warmup_steps, rates, peak) -> None:
    settings = OptimiserSection(learning_rate=peak, warmup_steps=warmup_steps, schedule=schedule)
    found = [learning_rate(settings, update, len(rates)) for update in range(len(rates))]
    assert found == pytest.approx([peak * rate for rate in rates])


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_every_update_learns_something(schedule) -> None:
    settings = OptimiserSection(learning_rate=1e-5, warmup_steps=7, schedule=schedule)
    rates = [learning_rate(settings, update, 100) for update in range(100)]
    assert all(0 < rate <= 1e-5 for rate in rates)
    assert rates[:8] == sorted(rates[:8])
    assert rates[7:] == sorted(rates[7:], reverse=True)
