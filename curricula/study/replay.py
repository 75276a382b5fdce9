"""What other curricula would have drawn in a logged run, estimated from its draw probabilities.

At every step a curriculum that has seen the run's results up to there says with which probability
q_i it would draw each problem the run drew, when asked for as many. The run drew it with p_i, so

    w_i = q_i / p_i            weight of a logged group (importance sampling)
    estimate of f              sum w_i f_i / sum w_i           (self-normalised: Hesterberg, 1995)
    standard error             sqrt(sum over steps (A_t - estimate B_t)^2) / sum B_t
    effective groups           (sum w_i)^2 / sum w_i^2         (Kish, 1965)
    covered                    min(1, sum w_i / groups asked for)

with A_t and B_t the sums of w f and of w in step t. `covered` estimates the share of what the
curriculum wants that the run could have drawn; what is missing was out of its reach (resting, left
aside, or of probability zero), and the estimates are about the rest. No share is above one, but
chance can take the sum there.

The probabilities are those of one call of `draw`. A step of `dapo` makes several, and in each of
them the curriculum is asked for as many groups as the run drew in it.

What this cannot say: how the model would have fared. The results are those of the model that the
run trained, so each step answers "what would this curriculum have drawn next here", not "what
would have become of it". For that there is the simulated learner.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from curricula.knowledge.problems import ProblemSet
from curricula.knowledge.tiers import Floats
from curricula.study.contender import Contender
from curricula.study.run_log import Log, LoggedGroup
from curricula.study.samplers import make_any_curriculum

_FEW_GROUPS = 100.0
_LITTLE_COVERED = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What a curriculum would have drawn over the whole log; estimates are NaN without weights.

    valid_share: of its groups that would have been valid.
    valid_interval, covered_interval: half the width of the 95 % interval of each.
    variance: mean reward variance 4 p (1 - p) of its groups.
    domains: its share of each domain.
    effective_groups, covered: see the module.
    brier: of its predictions of all logged groups, before each was learned from. Needs no weights.
    course: by step, the sums of w * valid and of w, for a plot.
    remarks: what the log does not allow to say, a sentence each.
    """

    name: str
    valid_share: float
    valid_interval: float
    variance: float
    domains: dict[str, float]
    effective_groups: float
    covered: float
    covered_interval: float
    brier: float
    course: list[tuple[float, float]] = field(repr=False)
    remarks: list[str]


def logged(log: Log) -> Replay:
    """Return the run itself in the same terms: every group has the weight one."""
    sums = _Sums()
    for step in log.steps:
        sums.add(step, np.ones(len(step)))
    return sums.summary("the run itself", math.nan, [])


def replay(
    contender: Contender,
    log: Log,
    problems: ProblemSet | None,
    *,
    group_size: int,
    in_epochs: bool,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Replay:
    """Return what a curriculum over `problems` would have drawn at every step of the log.

    `problems`: all that the run could draw from; None when that is not known. Then those of the log
    are taken for all, and what the run's draws covered stays unknown.
    `in_epochs`: the run drew in shuffled epochs (`uniform`, `dapo`). Its logged probabilities take
    the order of the shuffle as unknown; here, what came earlier in the epoch is known, and a step's
    draws are told apart by their probabilities.
    `on_progress` is called with the number of steps done.
    """
    known = problems is not None
    problems = problems or log.problems()
    curriculum = make_any_curriculum(
        contender.kind, problems, group_size=group_size, seed=0, **contender.settings
    )
    sums = _Sums(known)
    epoch = _Epoch(len(problems), log.earlier) if in_epochs and known else None
    for done, groups in enumerate(log.steps, 1):
        step = groups[0].result.step
        weights = []
        draws = _draws(groups) if in_epochs else [groups]
        for draw in draws:
            names = [group.result.problem_id for group in draw]
            wanted = curriculum.chances(names, len(draw), step=step)
            given = np.array([group.probability for group in draw])
            if epoch is not None:
                given = epoch.known(names, given)
            weights.append(wanted / given)
            curriculum.follow(names, step=step)
        sums.add([group for draw in draws for group in draw], np.concatenate(weights))
        curriculum.observe([group.result for group in groups])
        on_progress(done)
    remarks = []
    if in_epochs:
        remarks.append(
            "The run drew in shuffled epochs: what it had drawn earlier in an epoch was out of "
            "its reach, and the estimates are about the rest."
        )
    if contender.settings.get("thompson"):
        remarks.append("Thompson samples are replaced by their expectation.")
    brier = curriculum.metrics().get("brier", math.nan)
    return sums.summary(contender.name, brier, remarks)


def _draws(groups: Sequence[LoggedGroup]) -> list[list[LoggedGroup]]:
    """The draws that a step of shuffled epochs was made of, in their order.

    A draw of k of the m problems that were left in the step has the probability k / m throughout,
    so the groups of one draw have theirs in common, and m = k over it falls from draw to draw.
    Groups without a probability come last.
    """
    by_probability: dict[float, list[LoggedGroup]] = {}
    for group in groups:
        key = -1.0 if math.isnan(group.probability) else group.probability
        by_probability.setdefault(key, []).append(group)
    in_order = sorted(by_probability.items(), key=lambda draw: -len(draw[1]) / draw[0])
    return [draw for _, draw in in_order]


class _Epoch:
    """Draw probabilities of shuffled epochs, given what came earlier in the epoch."""

    def __init__(self, num_problems: int, earlier: Sequence[str]) -> None:
        self._num = num_problems
        self._seen = set(earlier)

    def known(self, names: Sequence[str], given: Floats) -> Floats:
        """Probabilities of one draw, of those alone that the epoch still had to come."""
        left = self._num - len(self._seen)
        over = [name for name in names if name in self._seen]
        if over or left <= len(names):  # the epoch ends in this step
            self._seen = set(over)
            return given
        self._seen.update(names)
        return np.where(np.isfinite(given), len(names) / left, math.nan)


class _Sums:
    """Weighted sums over logged groups; groups that our own failures leave open are left out."""

    def __init__(self, all_known: bool = True) -> None:
        self._all_known = all_known
        self._course: list[tuple[float, float]] = []
        self._domains: dict[str, float] = {}
        self._wanted: list[float] = []
        self._squares = self._variance = 0.0
        self._num = self._unusable = 0

    def add(self, groups: Sequence[LoggedGroup], weights: Floats) -> None:
        """Add one step: as many groups as were asked for, and their weights (NaN where unknown)."""
        usable = np.array(
            [not group.result.errored and group.result.attempts > 0 for group in groups]
        )
        known = np.isfinite(weights)
        self._unusable += int((~known).sum())
        self._num += len(groups)
        # Errored groups and those without probability say nothing; the asked-for shrink alike.
        self._wanted.append(float((usable & known).sum()))
        weights = np.where(usable & known, weights, 0.0)
        rate = np.array([g.result.passes / max(1, g.result.attempts) for g in groups])
        valid = np.array([group.result.valid for group in groups])
        self._course.append((float((weights * valid).sum()), float(weights.sum())))
        self._squares += float((weights**2).sum())
        self._variance += float((weights * 4 * rate * (1 - rate)).sum())
        for group, weight in zip(groups, weights.tolist(), strict=True):
            self._domains[group.domain] = self._domains.get(group.domain, 0.0) + weight

    def summary(self, name: str, brier: float, remarks: list[str]) -> Replay:
        """Return the estimates over all steps, and what the log does not allow to say."""
        hits, weights = np.array(self._course).T
        total = float(weights.sum())
        remarks = list(remarks)
        if self._unusable:
            remarks.append(
                f"{self._unusable} of {self._num} logged groups have no draw probability "
                "in (0, 1] and tell nothing about other draws."
            )
        if total <= 0:
            remarks.append("Nothing of what it would draw is in the log: no estimate.")
            nan = math.nan
            return Replay(
                name=name, valid_share=nan, valid_interval=nan, variance=nan, domains={},
                effective_groups=0.0, covered=0.0, covered_interval=nan, brier=brier,
                course=self._course, remarks=remarks,
            )  # fmt: skip
        share = float(hits.sum()) / total
        effective = total**2 / self._squares
        several = len(self._course) > 1
        error = float(np.sqrt(((hits - share * weights) ** 2).sum())) / total
        covered, covered_error = self._covered(weights) if self._all_known else (math.nan, math.nan)
        if covered < _LITTLE_COVERED and not covered + 1.96 * covered_error >= 1:
            remarks.append(
                f"About {1 - covered:.0%} of what it would draw was out of the run's reach; "
                "the estimates are about the rest."
            )
        if effective < _FEW_GROUPS:
            remarks.append(
                f"The estimates rest on {effective:.0f} effective groups only: too few to tell "
                "curricula apart."
            )
        return Replay(
            name=name,
            valid_share=share,
            valid_interval=1.96 * error if several else math.nan,
            variance=self._variance / total,
            domains={domain: weight / total for domain, weight in sorted(self._domains.items())},
            effective_groups=effective,
            covered=covered,
            covered_interval=1.96 * covered_error if several else math.nan,
            brier=brier,
            course=self._course,
            remarks=remarks,
        )

    def _covered(self, weights: Floats) -> tuple[float, float]:
        """The share of what was asked for that was within reach, and its standard error."""
        wanted = np.array(self._wanted)
        found = float(weights.sum() / wanted.sum())
        error = float(np.sqrt(((weights - found * wanted) ** 2).sum()) / wanted.sum())
        return min(1.0, found), error


def replay_table(rows: Sequence[Replay]) -> str:
    """Return the replays as text, a curriculum a line; below, what the log cannot say."""
    width = max(14, *(len(row.name) for row in rows)) + 2
    head = ("valid groups", "reward variance", "effective groups", "covered", "brier")
    lines = [f"{'curriculum':<{width}}" + "".join(f"{name:>18}" for name in head)]
    for row in rows:
        valid = f"{row.valid_share:.3f} ± {row.valid_interval:.3f}"
        covered = f"{row.covered:.2f} ± {row.covered_interval:.2f}"
        numbers = f"{row.variance:>18.3f}{row.effective_groups:>18.0f}{covered:>18}"
        lines.append(f"{row.name:<{width}}{valid:>18}{numbers}{row.brier:>18.3f}")
    remarks = [f"{row.name}: {remark}" for row in rows for remark in row.remarks]
    return "\n".join([*lines, *remarks]).replace("nan", "  -")
