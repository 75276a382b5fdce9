"""From verdicts to rewards."""

from __future__ import annotations

import pytest

from rewards import Outcome, SettingsError, Verdict
from rewards.shaping import Shaping


def verdict(outcome: Outcome, score: float) -> Verdict:
    return Verdict(outcome=outcome, score=score, extracted=None, detail="", seconds=0.0)


def test_shaping_is_a_table_and_our_failures_have_no_reward() -> None:
    shaping = Shaping(truncated={Outcome.NO_ANSWER: -0.5}, weights={"repetition": 0.1})
    assert shaping.reward(verdict(Outcome.CORRECT, 1.0), "") == 1.0
    assert shaping.reward(verdict(Outcome.PARTIAL, 0.25), "") == 0.25
    assert shaping.reward(verdict(Outcome.NO_ANSWER, 0.0), "") == 0.0
    assert shaping.reward(verdict(Outcome.NO_ANSWER, 0.0), "", truncated=True) == -0.5
    assert shaping.reward(verdict(Outcome.TIMEOUT, 0.0), "") is None
    repeated = "one two three four five six seven eight nine ten " * 50
    reward = shaping.reward(verdict(Outcome.CORRECT, 1.0), repeated)
    assert reward == pytest.approx(0.9, abs=0.01)
    with pytest.raises(SettingsError, match="our own failures"):
        Shaping(truncated={Outcome.TIMEOUT: 0.0})
    with pytest.raises(SettingsError, match="known: "):
        Shaping(weights={"charm": 1.0})
