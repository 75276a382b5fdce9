"""From a verdict to the number a learner sees, apart from judging.

A table from (outcome, finished or truncated) to a number; PARTIAL takes the score. Our failures
have no number: such a completion carries no reward. Diagnostics may be added with a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rewards.diagnostics import diagnose
from rewards.errors import SettingsError
from rewards.verdict import OUR_FAILURES, Outcome, Verdict

_DEFAULT_TABLE: dict[Outcome, float] = {
    Outcome.CORRECT: 1.0,
    Outcome.WRONG: 0.0,
    Outcome.NO_ANSWER: 0.0,
    Outcome.UNPARSEABLE: 0.0,
}


@dataclass(frozen=True, kw_only=True)
class Shaping:
    """What an outcome is worth.

    finished, truncated: outcome → reward, for completions that ended and that were cut.

    An outcome without an entry in ``truncated`` is paid as when finished. score_scale: reward of
    a PARTIAL verdict per unit of score. weights: diagnostic → what is *subtracted* per unit of it
    (each diagnostic is in [0, 1]).
    """

    finished: Mapping[Outcome, float] = field(default_factory=lambda: dict(_DEFAULT_TABLE))
    truncated: Mapping[Outcome, float] = field(default_factory=dict)
    score_scale: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = set(_DEFAULT_TABLE) - set(self.finished)
        if missing:
            raise SettingsError(f"finished: no reward for {sorted(missing)}")
        ours = (set(self.finished) | set(self.truncated)) & OUR_FAILURES
        if ours:
            raise SettingsError(f"no reward may be given for our own failures: {sorted(ours)}")
        unknown = set(self.weights) - set(diagnose(""))
        if unknown:
            raise SettingsError(
                f"weights: unknown {sorted(unknown)}; known: {sorted(diagnose(''))}"
            )

    def reward(self, verdict: Verdict, response: str, *, truncated: bool = False) -> float | None:
        """Return the reward of ``response``; None when we failed to judge it."""
        if verdict.ours_failed:
            return None
        table = {**self.finished, **self.truncated} if truncated else self.finished
        if verdict.outcome in table:
            reward = table[verdict.outcome]
        else:
            reward = self.score_scale * verdict.score
        if self.weights:
            found = diagnose(response)
            reward -= sum(weight * found[name] for name, weight in self.weights.items())
        return reward
