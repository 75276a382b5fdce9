"""Problems that reasoning-gym makes: the same each time, and what is refused of its tasks."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from rlcs.config import DataSection, SourceSection
from rlcs.data import LoadedData, load_data
from rlcs.errors import DatasetError, PackageMissingError


def load(**source: Any) -> LoadedData:
    return load_data(DataSection(train=[SourceSection.model_validate(source)]))


CHAIN_SUM = {"reasoning_gym": "chain_sum", "size": 40}


def test_reasoning_gym_problems_are_the_same_each_time() -> None:
    knobs = {"max_terms": 2, "max_digits": 1}
    first, again = (load(**CHAIN_SUM, knobs=knobs) for _ in range(2))
    assert list(first.train) == list(again.train)
    assert 0 < len(first.train) < 40, "40 sums of two digits repeat"
    assert first.notes == [
        f"reasoning_gym:chain_sum: {40 - len(first.train)} of 40 generated problems repeat an "
        "earlier one and were left out."
    ]
    assert first.train[0].category == "reasoning_gym:chain_sum"
    assert isinstance(first.train[0].reference, str)
    assert len({problem.question for problem in first.train}) == len(first.train)


def test_reasoning_gym_knobs_may_be_lists() -> None:
    source = {"reasoning_gym": "basic_arithmetic", "size": 5, "knobs": {"operators": ["+"]}}
    for problem in load(**source).train:
        assert not set(problem.question) & set("*/")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"reasoning_gym": "chainsum"}, "found 'chainsum'. Nearest: chain_sum,"),
        ({"knobs": {"digits": 2}}, "found digits. Known knobs: min_terms, max_terms, min_digits"),
        ({"knobs": {"size": 2}}, "expected knobs of the task, found size."),
        ({"knobs": {"max_digits": 0}}, "the task refuses its knobs: max_digits must be >="),
        ({"knobs": {"max_digits": "x"}}, "the task refuses its knobs:"),
        ({"reasoning_gym": "rush_hour"}, "found 40 of 40 without. Such a task has only its own"),
    ],
)
def test_reasoning_gym_refusals(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load(**{**CHAIN_SUM, **keys})
    assert said in str(caught.value)


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym.factory", None)  # as if not installed
    with pytest.raises(PackageMissingError, match=r"pip install 'rlcs\[reasoning-gym\]'"):
        load(**CHAIN_SUM)
