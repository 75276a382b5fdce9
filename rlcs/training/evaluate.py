"""Held-out accuracy: avg@k and pass@k at the training temperature, greedy beside them.

The seeds depend on the run's seed and the problem alone, so that two versions of a model
are measured with the same random numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from rewards import Verdict
from rlcs.data import Renderer
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.rollout.pool import RolloutPool
from rlcs.scoring import Scorer
from rlcs.seeds import derive_seed
from rlcs.types import Completion, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Accuracy:
    """Accuracy over some problems; shares in [0, 1], None when nothing could be judged."""

    num_problems: int
    accuracy: float | None
    """avg@k: the mean over problems of the share of k completions that passed."""
    pass_at_k: float | None
    """Share of problems with at least one pass among k completions."""
    greedy: float | None
    """Share of problems whose most likely completion passed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """Accuracy over all held-out problems and over parts of them."""

    num_completions: int
    """Completions sampled of each problem: k."""
    num_errors: int
    """Completions that our own side failed to judge; left out of all shares."""
    overall: Accuracy
    by_domain: dict[str, Accuracy]
    by_category: dict[str, Accuracy]

    def as_json(self) -> dict[str, Any]:
        """The evaluation as JSON values, for ``summary.json`` and ``rlcs eval --json``."""
        return {
            **_as_json(self.overall, self.num_completions),
            "samples_per_problem": self.num_completions,
            "errors": self.num_errors,
            "by_domain": self._parts(self.by_domain),
            "by_category": self._parts(self.by_category),
        }

    def _parts(self, parts: dict[str, Accuracy]) -> dict[str, Any]:
        return {name: _as_json(part, self.num_completions) for name, part in sorted(parts.items())}


@dataclass(frozen=True, kw_only=True, slots=True)
class Examinee:
    """What an evaluation works with: problems, the engines that answer, and the scorer."""

    problems: Sequence[Problem]
    renderer: Renderer
    rollouts: RolloutPool
    scorer: Scorer


CHUNK = 64
"""Problems that are answered at a time where somebody wants to see how far it is."""

Keep: TypeAlias = Callable[[dict[str, Any]], None]
"""Takes a row: a completion's text and verdict."""


def evaluate(
    examinee: Examinee,
    sampling: Sampling,
    *,
    num_completions: int,
    seed: int,
    keep: Keep | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Judge ``num_completions`` sampled completions of every problem, and one greedy one.

    ``keep`` is called with a row for each completion; ``progress`` now and then with how many
    requests were answered, and of how many.
    """
    examinee = replace(examinee, problems=list(examinee.problems))  # which are read but once
    problems = examinee.problems
    size = CHUNK if progress else max(1, len(problems))
    parts: list[list[np.ndarray]] = [[], []]
    done = 0
    kinds = ((sampling, num_completions), (replace(sampling, temperature=0.0), 1))
    for kind, (how, number) in zip(parts, kinds, strict=True):
        for start in range(0, len(problems), size):
            part = replace(examinee, problems=problems[start : start + size])
            kind.append(_passes(part, how, num_completions=number, seed=seed, keep=keep))
            done += len(part.problems)
            if progress:
                progress(done, 2 * len(problems))
    sampled, greedy = map(np.concatenate, parts)

    def over(rows: Sequence[int]) -> Accuracy:
        return Accuracy(
            num_problems=len(rows),
            accuracy=mean_over_problems(sampled[rows], np.nanmean),
            pass_at_k=mean_over_problems(sampled[rows], np.nanmax),
            greedy=mean_over_problems(greedy[rows], np.nanmean),
        )

    def split(key: Callable[[Problem], str]) -> dict[str, Accuracy]:
        rows = defaultdict(list)
        for row, problem in enumerate(problems):
            rows[key(problem)].append(row)
        return {name: over(part) for name, part in rows.items()}

    return Evaluation(
        num_completions=num_completions,
        num_errors=int(np.isnan(sampled).sum() + np.isnan(greedy).sum()),
        overall=over(range(len(problems))),
        by_domain=split(lambda problem: problem.domain),
        by_category=split(lambda problem: f"{problem.domain}/{problem.category}"),
    )


def _passes(
    examinee: Examinee,
    sampling: Sampling,
    *,
    num_completions: int,
    seed: int,
    keep: Keep | None,
) -> np.ndarray:
    """[problems, completions] 1 for a pass, 0 for none, NaN where our own side failed."""
    prompts = examinee.renderer.render_all(examinee.problems)
    requests = [
        GroupRequest(
            prompt=prompts[problem.problem_id],
            seeds=tuple(
                derive_seed(seed, "evaluate", problem.problem_id, index)
                for index in range(num_completions)
            ),
        )
        for problem in examinee.problems
    ]
    groups = examinee.rollouts.generate(requests, sampling)
    verdicts = examinee.scorer.judge(examinee.problems, groups)
    if keep:
        for problem, completions, judged in zip(examinee.problems, groups, verdicts, strict=True):
            for index, (completion, verdict) in enumerate(zip(completions, judged, strict=True)):
                row = _row(problem, completion, verdict, examinee.scorer)
                keep({**row, "index": index, "greedy": sampling.temperature == 0})
    return np.array(
        [
            [
                np.nan if verdict.ours_failed else examinee.scorer.passed(problem.domain, verdict)
                for verdict in judged
            ]
            for problem, judged in zip(examinee.problems, verdicts, strict=True)
        ],
        dtype=np.float64,
    )


def _row(
    problem: Problem, completion: Completion, verdict: Verdict, scorer: Scorer
) -> dict[str, Any]:
    passed = scorer.passed(problem.domain, verdict)
    return {
        "problem_id": problem.problem_id,
        "text": completion.text,
        "passed": None if verdict.ours_failed else passed,
        "outcome": verdict.outcome.value,
        "score": verdict.score,
        "extracted": verdict.extracted,
        "detail": verdict.detail,
        "finish_reason": completion.finish_reason.value,
        "tokens": len(completion.token_ids),
    }


def mean_over_problems(passes: np.ndarray, reduce: Callable[..., np.ndarray]) -> float | None:
    """The mean over problems of ``reduce`` over a problem's judged completions."""
    judged = passes[~np.isnan(passes).all(axis=1)]
    return float(reduce(judged, axis=1).mean()) if len(judged) else None


def _as_json(part: Accuracy, num_completions: int) -> dict[str, Any]:
    return {
        "accuracy": part.accuracy,
        "greedy": part.greedy,
        f"pass@{num_completions}": part.pass_at_k,
        "problems": part.num_problems,
    }
