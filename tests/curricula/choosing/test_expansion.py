"""The average of the ratio, by hand."""

import pytest

from curricula.choosing.expansion import RatioAverage


@pytest.mark.parametrize(
    ("steps", "decay", "cap", "expected"),
    [
        # (valid, told) of each step -> expansion after it, by hand
        ([(4, 5), (1, 5), (4, 5)], 0.5, 9, [1.25, (1.25 + 5) / 2, (3.125 + 1.25) / 2]),
        ([(0, 8), (8, 8)], 0.5, 4, [4, 2.5]),  # a step without a valid group counts as the cap
        ([(1, 100)], 0.5, 4, [4]),  # capped before averaging
        ([(4, 8), (0, 0), (4, 8)], 0.9, 4, [2, 2, 2]),  # nothing told: nothing changes
    ],
)
def test_ratio_average_by_hand(
    steps: list[tuple[int, int]], decay: float, cap: float, expected: list[float]
) -> None:
    average = RatioAverage(initial=2.0, decay=decay, cap=cap)
    values = []
    for valid, told in steps:
        average.observe(valid, told)
        values.append(average.value)
        average.end_step()
        assert average.value == values[-1]
    assert values == pytest.approx(expected)
    assert average.steps_without_valid == sum(told > 0 and not valid for valid, told in steps)


def test_ratio_average_of_an_alternating_rate() -> None:
    """The published point: averaging the ratio gives 3.75 where averaging the rate gives 2.50."""
    average = RatioAverage(initial=1.0, decay=0.5, cap=100)
    for _ in range(60):
        for valid in (8, 2):
            average.observe(valid, 10)
            average.end_step()
    assert average.value == pytest.approx(3.75)


def test_expansion_does_not_care_how_a_step_is_observed() -> None:
    whole, parts = (RatioAverage(initial=1, decay=0.5, cap=9) for _ in range(2))
    whole.observe(3, 10)
    for valid, told in ((1, 4), (0, 3), (2, 3)):
        parts.observe(valid, told)
    assert whole.value == parts.value == pytest.approx(10 / 3)
