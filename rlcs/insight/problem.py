"""One problem: what it asks, how it fared at every draw, and every completion of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rlcs.insight import problems
from rlcs.insight.completions import read_file
from rlcs.insight.folders import file_inside
from rlcs.insight.problems import LEFT_OUT
from rlcs.insight.run import Run
from rlcs.run.problem_file import PROBLEMS_NAME

EPSILON = 1e-6
"""Added to the standard deviation of a group's rewards, as the learner does."""
PRIOR_STRENGTH = 1.0
NO_ROW = "Its problems.parquet has no problem of this id: the run's data was another then."
_THINKING = re.compile(r"\A\s*(?:<think>)?(.*?)</think>(.*)\Z", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A problem as ``problems.parquet`` has it; fields are empty where that file is missing."""

    problem_id: str
    domain: str = ""
    category: str = ""
    split: str = ""
    prior_pass_rate: float | None = None
    messages: tuple[tuple[str, str], ...] = ()
    """(role, text) of each turn."""
    reference: Any = None
    images: tuple[dict[str, Any], ...] = ()
    """``name``, ``digest``, ``width``, ``height`` and ``file`` of each picture."""
    known: bool = False
    """Whether the run's problems were there to look it up in."""
    missing: str = ""
    """Why there is no text of it, in a sentence; empty where there is."""


def problem(run: Run, problem_id: str) -> Problem:
    """The problem ``problem_id``; known by its draws alone where the run kept no problems."""
    row = _stored(run, problem_id)
    if row is None:
        drawn = run.store.rows(
            "SELECT domain, category FROM visits WHERE problem_id = ? LIMIT 1", [problem_id]
        )
        missing = problems.missing(run) or NO_ROW
        return Problem(problem_id=problem_id, missing=missing, **(drawn[0] if drawn else {}))
    turns = _json(row["messages"], list)
    return Problem(
        problem_id=problem_id,
        domain=row["domain"] or "",
        category=row["category"] or "",
        split=row["split"] or "",
        prior_pass_rate=row["prior_pass_rate"],
        messages=tuple(
            (str(turn.get("role", "")), str(turn.get("content", "")))
            for turn in turns
            if isinstance(turn, dict)
        ),
        reference=_json(row["reference"], object),
        images=tuple(each for each in _json(row["images"], list) if isinstance(each, dict)),
        known=True,
        missing=LEFT_OUT if row["messages"] is None else "",
    )


def visits(run: Run, problem_id: str) -> list[dict[str, Any]]:
    """A row a draw: ``step``, ``tier``, ``draw_probability``, ``passes``, ``attempts``,
    ``errors``, ``tokens`` and ``fate``, the earliest first."""
    return run.store.rows(
        "SELECT step, tier, draw_probability, passes, attempts, errors, tokens, fate "
        "FROM visits WHERE problem_id = ? ORDER BY step",
        [problem_id],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Posterior:
    """What the draws of a problem say of its pass rate, after each of them; arrays [draws]."""

    step: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    """Lower end of the central 90 % of the Beta posterior."""
    high: np.ndarray
    observed: np.ndarray
    """The pass rate of the draw itself; NaN where nothing could be judged."""


def posterior(run: Run, problem_id: str) -> Posterior:
    """The Beta posterior of the problem's pass rate over the steps it was drawn in.

    Evidence ages by the curriculum's own discount a step; the prior has its strength and the pass
    rate of all draws of the same category up to then. The curriculum takes a finer prior, that of
    the category's problems of the same standing.
    """
    from scipy.special import betaincinv

    rows = run.store.columns(
        "SELECT v.step AS step, v.passes AS passes, v.attempts AS attempts, ("
        "  SELECT sum(o.passes) / nullif(sum(o.attempts), 0) FROM visits o "
        "  WHERE o.domain = v.domain AND o.category = v.category AND o.step <= v.step"
        ") AS prior FROM visits v WHERE v.problem_id = ? ORDER BY v.step",
        [problem_id],
    )
    steps, passes, attempts = (rows[name] for name in ("step", "passes", "attempts"))
    discount = _number(run.setting("curriculum.discount"), 1.0)
    strength = _number(run.setting("curriculum.prior_strength"), PRIOR_STRENGTH)
    prior = np.where(np.isfinite(rows["prior"].astype(float)), rows["prior"], 0.5).astype(float)
    good, bad = np.zeros(len(steps)), np.zeros(len(steps))
    for at in range(len(steps)):
        aged = discount ** (steps[at] - steps[at - 1]) if at else 0.0
        good[at] = (good[at - 1] if at else 0.0) * aged + passes[at]
        bad[at] = (bad[at - 1] if at else 0.0) * aged + attempts[at] - passes[at]
    a, b = strength * prior + good, strength * (1 - prior) + bad
    with np.errstate(invalid="ignore", divide="ignore"):
        return Posterior(
            step=steps,
            mean=a / (a + b),
            low=betaincinv(np.maximum(a, 1e-3), np.maximum(b, 1e-3), 0.05),
            high=betaincinv(np.maximum(a, 1e-3), np.maximum(b, 1e-3), 0.95),
            observed=np.where(attempts > 0, passes / np.maximum(attempts, 1), np.nan),
        )


def completions(run: Run, problem_id: str, step: int) -> list[dict[str, Any]]:
    """Every completion of the problem in ``step``: the columns of the run's file, and

    ``thinking`` and ``answer``, the two parts of ``text``; ``advantage``, that of the learner
    before what it does to a whole batch, None where nothing was learned or judged.

    Raises:
        OSError, ValueError, pyarrow.ArrowException: the file is missing or cannot be read.
    """
    rows = read_file(run.folder, step, problem_id=problem_id).to_pylist()
    rewards = np.array(
        [np.nan if row["reward"] is None else row["reward"] for row in rows], dtype=float
    )
    advantages = _advantages(
        rewards,
        normalise=run.setting("learner.normalise_advantages", True) is True,
        leave_one_out=run.setting("learner.baseline", "mean") == "leave_one_out",
    )
    for row, advantage in zip(rows, advantages, strict=True):
        row["thinking"], row["answer"] = split_text(row["text"] or "")
        row["advantage"] = None if np.isnan(advantage) else float(advantage)
    return sorted(rows, key=lambda row: row["index"] if row["index"] is not None else -1)


def split_text(text: str) -> tuple[str, str]:
    """The thinking of a completion and what comes after it; no thinking where none was closed."""
    found = _THINKING.match(text)
    return (found[1].strip(), found[2].strip()) if found else ("", text.strip())


def _advantages(rewards: np.ndarray, *, normalise: bool, leave_one_out: bool) -> np.ndarray:
    """As ``rlcs.learner.advantages.group_advantages``, whose package needs torch."""
    graded = ~np.isnan(rewards)
    number = int(graded.sum())
    result = np.full(rewards.shape, np.nan)
    if not number:
        return result
    centred = rewards[graded] - rewards[graded].mean()
    if leave_one_out and number > 1:
        centred = centred * number / (number - 1)
    if normalise:
        centred = centred / (rewards[graded].std() + EPSILON)
    result[graded] = centred
    return result


def _stored(run: Run, problem_id: str) -> dict[str, Any] | None:
    """The row of ``problems.parquet``, of which one row group alone is read."""
    path = file_inside(run.folder, PROBLEMS_NAME)
    place = run.store.value("SELECT place FROM problems WHERE problem_id = ?", [problem_id])
    if path is None or place is None:
        return None
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                length = file.metadata.row_group(group).num_rows
                if place < length:
                    row = file.read_row_group(group).slice(place, 1).to_pylist()[0]
                    break
                place -= length
            else:
                return None
    except (pa.ArrowException, OSError, ValueError):
        return None
    needed = {"domain", "category", "split", "prior_pass_rate", "messages", "reference", "images"}
    return row if needed <= set(row) and row["problem_id"] == problem_id else None


def _json(text: Any, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        value = None
    return value if isinstance(value, kind) else kind()


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
