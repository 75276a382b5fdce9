"""What an evaluation prints and writes: accuracy with its interval, and how the rest came about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rewards.shown import shown_line
from rewards.verdict import OUR_FAILURES, Outcome
from rlcs.grading.pass_at_k import pass_at_k
from rlcs.run.intervals import problem_interval

FAILURES = {outcome.value for outcome in OUR_FAILURES}
MANY = 0.05
"""A share of the completions from which on it is said what became of them."""
NUM_REASONS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """How a model did on one set of problems."""

    name: str
    num_problems: int
    """Those with at least one judged completion."""
    num_completions: int
    """Of each problem: k."""
    accuracy: float | None
    """avg@k in [0, 1], the mean over problems; None where nothing could be judged."""
    interval: tuple[float, float] | None
    """Of ``accuracy``, 95 %, over problems."""
    pass_at_k: float | None
    outcomes: Mapping[str, int]
    """Outcome → completions; the sum is all of them."""
    reasons: Mapping[str, int]
    """Why a completion had no answer → completions."""
    num_cut: int
    """Completions that ran into the token limit."""

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "problems": self.num_problems,
            "samples_per_problem": self.num_completions,
            "accuracy": self.accuracy,
            "interval": self.interval,
            f"pass@{self.num_completions}": self.pass_at_k,
            "outcomes": dict(self.outcomes),
            "no_answer_because": dict(self.reasons),
            "cut": self.num_cut,
        }


def result_of(name: str, attempts: Iterable[Mapping[str, Any]], num_completions: int) -> Result:
    """Count ``attempts``: rows with problem_id, passed, outcome, detail and finish_reason."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    num_cut = 0
    for row in attempts:
        outcomes[row["outcome"]] += 1
        num_cut += row["finish_reason"] == "length"
        if row["outcome"] == Outcome.NO_ANSWER.value:
            reasons[row["detail"]] += 1
        if row["passed"] is not None:
            counts[row["problem_id"]][0] += row["passed"]
            counts[row["problem_id"]][1] += 1
    passes, judged = np.array(list(counts.values()), dtype=np.float64).reshape(-1, 2).T
    rates = passes / judged
    at_k = pass_at_k(passes, judged, num_completions)
    return Result(
        name=name,
        num_problems=len(counts),
        num_completions=num_completions,
        accuracy=float(rates.mean()) if len(rates) else None,
        interval=problem_interval(rates),
        pass_at_k=None if np.isnan(at_k).all() else float(np.nanmean(at_k)),
        outcomes=dict(outcomes.most_common()),
        reasons=dict(reasons.most_common(NUM_REASONS)),
        num_cut=num_cut,
    )


def show(console: Console, results: Sequence[Result]) -> None:
    """Print a row for each result, and what became of completions that had no answer."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("benchmark")
    for column in ("problems", "avg@k", "95 % interval", "pass@k", "k"):
        table.add_column(column, justify="right")
    table.add_column("outcomes")
    for result in results:
        table.add_row(
            escape(shown_line(result.name)),
            f"{result.num_problems:,}",
            _share(result.accuracy),
            "-" if result.interval is None else " to ".join(map(_share, result.interval)),
            _share(result.pass_at_k),
            str(result.num_completions),
            shown_outcomes(result.outcomes),
        )
    console.print(table)
    for result in results:
        for sentence in what_became(result):
            console.print(shown_line(sentence), markup=False, highlight=False, soft_wrap=True)


def shown_outcomes(outcomes: Mapping[str, int]) -> str:
    """Each outcome with its share, for example ``correct 61%, no_answer 39%``."""
    total = sum(outcomes.values())
    return ", ".join(f"{name} {100 * number / total:.0f}%" for name, number in outcomes.items())


def what_became(result: Result) -> list[str]:
    """A sentence for each thing that a reader must know before believing the accuracy."""
    total = sum(result.outcomes.values())
    sentences = []
    unanswered = result.outcomes.get(Outcome.NO_ANSWER.value, 0)
    if total and unanswered >= MANY * total:
        why = "; ".join(
            f"{reason} in {100 * number / total:.0f} %" for reason, number in result.reasons.items()
        )
        sentences.append(
            f"{result.name}: {100 * unanswered / total:.0f} % have no answer ({why}). Another rule "
            "finds answers in other places: scoring.extraction.rule."
        )
    if total and result.num_cut >= MANY * total:
        sentences.append(
            f"{result.name}: {100 * result.num_cut / total:.0f} % ran into the token limit "
            "(rollout.max_thinking_tokens, rollout.max_answer_tokens)."
        )
    failed = sum(number for name, number in result.outcomes.items() if name in FAILURES)
    if failed:
        sentences.append(
            f"{result.name}: {failed} of {total} completions could not be had or judged and are "
            "left out."
        )
    return sentences


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"
