"""pass@k without bias, and how it is spread over problems, by domain and category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curricula import Grades
from rlcs.types import Problem

MOST_BINS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """How one model did on some of the problems."""

    name: str
    """``all``, a domain, or ``domain/category``."""
    is_domain: bool
    num_problems: int
    """Those with at least one judged attempt."""
    pass_at: dict[int, float | None]
    """k → mean pass@k over the problems with at least k judged attempts; None without any."""
    spread: list[int]
    """Problems by pass rate: never passed, then evenly up to always (the last includes it)."""


def pass_at_k(passes: np.ndarray, attempts: np.ndarray, k: int) -> np.ndarray:
    """The chance that of k attempts at least one passes, estimated from more; NaN below k.

    1 - C(n - c, k) / C(n, k) with n attempts of which c passed, which is unbiased for
    n >= k (Chen et al. 2021, arXiv 2107.03374, equation 1). Arrays [problems].
    """
    missed = np.ones(len(passes))
    with np.errstate(divide="ignore", invalid="ignore"):
        for number in range(k):
            missed *= np.maximum(0.0, attempts - passes - number) / (attempts - number)
    return np.where(attempts >= k, 1.0 - missed, np.nan)


def powers_upto(k: int) -> list[int]:
    """The powers of two up to ``k``, and ``k`` itself."""
    return sorted({*(2**power for power in range(k.bit_length())), k})


def parts_of(grades: Grades, model: int, problems: Sequence[Problem], k: int) -> list[Part]:
    """All problems, then each domain, then each category, for one model of ``grades``."""
    rows: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row, problem in enumerate(problems):
        for depth, name in enumerate(
            ("all", problem.domain, f"{problem.domain}/{problem.category}")
        ):
            rows[depth, name].append(row)
    return [
        _part(name, depth == 1, grades.passes[model, part], grades.attempts[model, part], k)
        for (depth, name), part in sorted(rows.items())
    ]


def _part(name: str, is_domain: bool, passes: np.ndarray, attempts: np.ndarray, k: int) -> Part:
    judged = attempts > 0
    passes, attempts = passes[judged], attempts[judged]
    estimates = {each: pass_at_k(passes, attempts, each) for each in powers_upto(k)}
    bins = min(k, MOST_BINS)
    # Rounded before the ceiling: 3/8 must not count as a little more than 3/8.
    bin_of = np.ceil(np.round(passes / attempts * bins, 9)).astype(np.int64)
    return Part(
        name=name,
        is_domain=is_domain,
        num_problems=len(passes),
        pass_at={
            each: None if np.isnan(values).all() else float(np.nanmean(values))
            for each, values in estimates.items()
        },
        spread=np.bincount(bin_of, minlength=bins + 1).tolist(),
    )
