"""From completions to verdicts and rewards, in verifier processes that can be killed.

A completion that *we* could not judge (broken reference, timeout, crash) has no reward: it
is NaN, never zero, so that a dead verifier cannot look like a hard domain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import rewards
from rewards import Request, Verdict, VerifierPool
from rlcs.activity import doing
from rlcs.config import ScoringSection
from rlcs.errors import ConfigError
from rlcs.types import Completion, Problem


class Scorer:
    """Judges completions in worker processes, which :meth:`close` ends."""

    def __init__(self, section: ScoringSection) -> None:
        """Start the worker processes.

        Raises:
            ConfigError: a setting belongs to no verifier, or a verifier cannot be imported.
        """
        custom = section.custom_verifiers()
        unknown = sorted(set(section.domains.named()) - set(rewards.domains()) - set(custom))
        if unknown:
            raise ConfigError(
                f"scoring.domains: {', '.join(unknown)} is not a known domain. Known are "
                f"{', '.join(rewards.domains())}; name your own with "
                "scoring.domains.NAME.verifier=module:function."
            )
        try:
            self.pool = VerifierPool(
                section.num_workers,
                custom=custom,
                settings=section.verifier_settings(),
                pass_marks=section.pass_marks(),
                deadline_seconds=section.deadline_seconds,
            )
            for name in custom:
                self.pool.pass_mark(name)  # imports it: better here than in the first step
        except rewards.SettingsError as error:
            raise ConfigError(f"scoring: {error}") from error

    def judge(
        self, problems: Sequence[Problem], groups: Sequence[Sequence[Completion]]
    ) -> list[tuple[Verdict, ...]]:
        """Verdicts for the completions of each problem, in order."""
        texts = [[completion.text for completion in completions] for completions in groups]
        return self.judge_texts(problems, texts)

    def judge_texts(
        self, problems: Sequence[Problem], groups: Sequence[Sequence[str]]
    ) -> list[tuple[Verdict, ...]]:
        """Verdicts for the responses to each problem, in order."""
        requests = [
            Request(
                domain=problem.domain,
                response=text,
                reference=problem.reference,
                question=problem.question,
            )
            for problem, texts in zip(problems, groups, strict=True)
            for text in texts
        ]
        try:
            with doing(f"judging {len(requests)} completions"):
                verdicts = iter(self.pool.judge(requests))
        except rewards.SettingsError as error:
            raise ConfigError(f"scoring: {error}") from error
        return [tuple(next(verdicts) for _ in texts) for texts in groups]

    def passed(self, domain: str, verdict: Verdict) -> bool:
        """Whether ``verdict`` reaches the pass mark of ``domain``."""
        return self.pool.passed(domain, verdict)

    def close(self) -> None:
        """End the worker processes."""
        self.pool.close()


def reward_of(verdict: Verdict) -> float:
    """The reward of one verdict: its score, or NaN where our own side failed."""
    return float("nan") if verdict.ours_failed else verdict.score


def rewards_of(verdicts: Sequence[Verdict]) -> np.ndarray:
    """Rewards [G] of a group's verdicts."""
    return np.array([reward_of(verdict) for verdict in verdicts], dtype=np.float64)
