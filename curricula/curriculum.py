"""The curriculum: the one implementation behind every kind.

What differs between kinds is who chooses (`choosing`), how many (`pacing`) and whether problems
retire; the history, the bookkeeping and the state are the same, so that any two kinds can be
compared on equal terms.
"""

from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from curricula.choosing.accounts import Accounts
from curricula.choosing.choosers import Chooser
from curricula.choosing.domains import DomainShares
from curricula.choosing.pacing import Pacing
from curricula.choosing.selection import counts_of, fates, names_of
from curricula.contract import Draw, Fate, GroupResult
from curricula.errors import ObservationError, TableError, listed
from curricula.grades.difficulty_table import DifficultyTable
from curricula.grades.evidence import evidence_table, take_evidence
from curricula.knowledge.calibration import Calibration, ReliabilityRow
from curricula.knowledge.history import Observed, PassRateHistory
from curricula.knowledge.identity import differs, identity
from curricula.knowledge.problems import Roster
from curricula.knowledge.reconcile import transfer
from curricula.knowledge.saved import check_fits
from curricula.knowledge.tiers import Floats, Indices
from curricula.strict import check_whole

_NONE: Indices = np.empty(0, dtype=np.int64)


class SamplingCurriculum:
    """The one implementation of `Curriculum`; make it by `make_curriculum`."""

    def __init__(
        self,
        roster: Roster,
        history: PassRateHistory,
        chooser: Chooser,
        pacing: Pacing,
        *,
        kind: str,
        min_gap: int,
        domains: DomainShares,
        carry_over: bool,
        rng: np.random.Generator,
        screening: int = 0,
    ) -> None:
        self._roster = roster
        self.ids = roster.ids
        self._identity_once: dict[str, Any] = {}
        self._history = history
        self._chooser = chooser
        self._pacing = pacing
        self._kind = kind
        self._min_gap = min_gap
        self._domains = domains
        self._carry_over = carry_over
        self._rng = rng
        self.screening = screening
        self._calibration = Calibration()
        self._step = -1
        self._draws_in_step = 0
        self._recent: dict[int, Indices] = {}
        self._accounts = Accounts()

    def draw(self, num_groups: int, *, step: int) -> list[Draw]:
        """Return what to roll out next so that about `num_groups` valid groups result.

        An empty list says that this step needs no more; see `Curriculum.draw`.
        """
        check_whole("num_groups", num_groups, 1)
        check_whole("step", step, max(0, self._step))
        count = self.num_to_draw(num_groups, step=step)
        if not count:
            return []
        drawn = self._recent.get(step, _NONE)
        # A carried group's problem must not come a second time in this step either.
        carried = np.array(list(self._accounts.carried.values()), dtype=np.int64)
        choice = self._chooser.choose(
            count,
            step=step,
            drawn=np.concatenate([drawn, carried]),
            resting=self._resting(),
            rng=self._rng,
        )
        self._draws_in_step += 1
        self._accounts.add(
            relaxed_draws=choice.relaxed,
            missing_draws=choice.missing,
            displaced_draws=choice.displaced,
        )
        names = self.ids.texts(choice.indices)
        self._note_drawn(names, choice.indices)
        tiers = map(
            self._history.tiers.names.__getitem__, self._history.tiers_of(choice.buckets).tolist()
        )
        # As Draw._make does, but without a call of Python's for each.
        rows = zip(names, choice.probabilities.tolist(), tiers, strict=True)
        return list(map(tuple.__new__, repeat(Draw), rows))

    def num_to_draw(self, num_groups: int, *, step: int) -> int:
        """Return how many problems `draw` would return now, where there are as many."""
        self._begin(step)
        wanted = num_groups - len(self._accounts.carried)
        if wanted <= 0:
            return 0
        return self._pacing.groups_to_draw(
            wanted,
            expected_valid=partial(self._chooser.expected_valid, step, wanted),
            valid=self._accounts.valid_in_step,
            draws=self._draws_in_step,
        )

    def _resting(self) -> Indices:
        resting = [indices for at, indices in self._recent.items() if at != self._step]
        return np.concatenate(resting) if resting else _NONE

    def _note_drawn(self, names: list[str], indices: Indices) -> None:
        drawn = self._recent.get(self._step, _NONE)
        self._recent[self._step] = np.concatenate([drawn, indices])
        self._accounts.draw(names, indices)

    def _begin(self, step: int) -> None:
        if step > self._step:
            self._pacing.end_step()
            self._domains.end_step()
            self._step, self._draws_in_step = step, 0
            self._accounts.begin_step()
            self._recent = {
                at: indices for at, indices in self._recent.items() if at >= step - self._min_gap
            }

    def observe(self, results: Sequence[GroupResult]) -> None:
        """Learn from results of rolled-out groups; see `Curriculum.observe`.

        A problem that was not drawn, or was observed already, is learned from all the same (a
        logged run can be replayed) and counted in the metric `undrawn_results`.
        """
        counts = counts_of(results)
        names = names_of(results)
        indices = self._indices(names)
        num_known, num_valid = int(counts.known.sum()), int(counts.valid.sum())
        self._accounts.observe(names, num_known=num_known, num_valid=num_valid)
        self._pacing.observe(num_valid, num_known)
        judged = np.flatnonzero(counts.attempts)
        if not judged.size:
            return
        batch = Observed(
            indices=indices[judged],
            buckets=self._history.buckets.bucket_of(indices[judged]),
            steps=counts.steps[judged],
            passes=counts.passes[judged].astype(np.float64),
            attempts=counts.attempts[judged].astype(np.float64),
            known=counts.known[judged],
            completions=(counts.attempts + counts.errors)[judged],
            tokens=counts.tokens[judged],
        )
        own = self._chooser.predicted(batch.indices, int(batch.steps.max()))
        surprise = self._history.learn(batch)
        self._chooser.observe(batch)
        self._calibration.age(int(batch.steps.max()))
        predicted = surprise.predicted if own is None else own
        self._calibration.observe(predicted, batch.passes, batch.attempts)
        domains = self._history.domains_of(batch.buckets)
        self._domains.observe(domains, surprise.gains, counts.valid[judged])

    def _indices(self, names: list[str]) -> Indices:
        awaited = map(self._accounts.awaited.get, names, repeat(-1))
        indices = np.fromiter(awaited, dtype=np.int64, count=len(names))
        if (rest := np.flatnonzero(indices < 0)).size:
            indices[rest] = self.ids.known([names[row] for row in rest])
        return indices

    def select(self, results: Sequence[GroupResult], num_groups: int) -> dict[str, Fate]:
        """Return the fate of every given group, at most `num_groups` of them TRAINED.

        The most balanced valid groups come first, within the shares of the domains.
        ObservationError when a carried-over group is not among the results; see
        `Curriculum.select`.
        """
        counts_of(results)
        check_whole("num_groups", num_groups, 1)
        names = names_of(results)
        carried = self._accounts.carried
        if absent := set(carried) - set(names):
            raise ObservationError(
                f"expected the {len(carried)} groups carried over from the last step among "
                f"the results, found {len(absent)} missing: {listed(sorted(absent))}"
            )
        indices = self._indices(names)
        fate, unfilled = fates(
            results,
            num_groups,
            domains=self._history.domains_of(self._history.buckets.bucket_of(indices)),
            domain_shares=self._domains.shares(),
        )
        self._accounts.carried = self._carry(results, fate, indices) if self._carry_over else {}
        self._accounts.add(unfilled_quota=unfilled)
        self._accounts.decide(fate)
        return fate

    def _carry(
        self, results: Sequence[GroupResult], fate: dict[str, Fate], indices: Indices
    ) -> dict[str, int]:
        """Make surplus groups carried ones, unless they have been carried once already."""
        carried = {
            result.problem_id: index
            for result, index in zip(results, indices.tolist(), strict=True)
            if fate[result.problem_id] is Fate.SURPLUS
            and result.problem_id not in self._accounts.carried
        }
        fate.update(dict.fromkeys(carried, Fate.CARRIED))
        return carried

    def metrics(self) -> dict[str, float]:
        """Return the numbers to log after a step, by flat name.

        Of the running step: `expansion_ratio` (that of the next step), `valid_rate` (before
        selection, of the groups that can tell). Of the recent past: `brier`, `brier_baseline`,
        `calibration_error`. Of the whole run: `num_*` counts. Of all problems: `tier/NAME` (share
        in each tier), `unseen` (share never observed), `solved`, `hopeless` (number retired).
        `num_drawn` = `num_observed` - `num_undrawn_results` + `num_awaited` +
        `num_unanswered_draws` (drawn again, or gone, before a result came), and also the sum of
        `num_fate_*` + `num_carried` + what was not selected from.
        """
        sizes = self._history.sizes()
        total = float(sizes.sum())
        by_tier = np.bincount(
            self._history.tiers_by_bucket().ravel(),
            sizes.ravel(),
            minlength=len(self._history.tiers.names),
        )
        tiers = self._history.tiers
        return {
            **self._pacing.metrics(),
            **self._accounts.valid_rate(),
            **self._calibration.metrics(),
            **{f"tier/{name}": float(by_tier[i] / total) for i, name in enumerate(tiers.names)},
            "unseen": 1 - self._history.num_seen / total,
            "solved": float(sizes[:, tiers.solved].sum()),
            "hopeless": float(sizes[:, tiers.hopeless].sum()),
            **self._accounts.metrics(),
        }

    def reliability(self) -> list[ReliabilityRow]:
        """Return predicted against observed pass rates of the recent past."""
        return self._calibration.table()

    @property
    def num_bytes(self) -> int:
        """Bytes held by everything that grows with the number of problems."""
        return self._roster.num_bytes + self._history.num_bytes

    def export_difficulty(self) -> DifficultyTable:
        """Return the evidence about every problem observed so far, aged to now, with its tier."""
        return evidence_table(self._history, self.ids, step=max(0, self._step))

    def start_from(self, table: DifficultyTable, *, drop_foreign: bool = False) -> None:
        """Start with the evidence of a table instead of none; only before the first step.

        TableError when it has problems that are not in the problem set; with `drop_foreign` they
        are counted (metric `num_foreign_rows`) and left out. Its labels are not used.
        """
        if self._step >= 0 or self._history.num_seen:
            raise TableError(
                f"expected a curriculum without any step, found one at step {self._step}; "
                "read the table before the first draw"
            )
        foreign = take_evidence(self._history, self.ids, table, drop_foreign=drop_foreign)
        self._accounts.add(foreign_rows=foreign)

    def chances(self, problem_ids: Sequence[str] | None, num_draws: int, *, step: int) -> Floats:
        """Return the inclusion probability of each problem, were `num_draws` drawn at `step` now.

        None asks for all problems, in the order of `ids`.

        For asking what this curriculum would do where another one draws: nothing is drawn. To go
        on, tell it what the other drew by `follow`, and `observe` the results.
        """
        check_whole("num_draws", num_draws, 1)
        check_whole("step", step, max(0, self._step))
        self._begin(step)
        if problem_ids is None:
            indices: Indices = np.arange(len(self.ids))
        else:
            indices = self._indices(list(problem_ids))
        return self._chooser.chances(indices, num_draws, step=step, resting=self._resting())

    def explain(
        self, problem_ids: Sequence[str], num_draws: int, *, step: int
    ) -> dict[str, Floats]:
        """Return the terms that `chances` makes the probability of each problem of; arrays [n].

        `passes`, `failures`: its evidence, aged to `step`. `bucket_rate`, `bucket_valid`: running
        pass rate and chance of a valid group of the problems of its category and standing. Where
        draws are weighted also `weight` of each of these, `bucket_problems` and `bucket_draws`
        (how many may be drawn, and are expected to be), `resting`, `retired` (0 or 1).
        `probability`: `bucket_draws` / `bucket_problems`, or 0 while it rests. Nothing is drawn.
        """
        probability = self.chances(problem_ids, num_draws, step=step)
        indices = self._indices(list(problem_ids))
        buckets = self._history.buckets.bucket_of(indices)
        passes, failures = self._history.evidence(indices, step)
        terms = self._chooser.terms(indices, num_draws, step=step, resting=self._resting())
        return {
            "passes": passes,
            "failures": failures,
            "bucket_rate": self._history.rates.pass_rate().ravel()[buckets],
            "bucket_valid": self._history.rates.valid_chance().ravel()[buckets],
            **terms,
            "probability": probability,
        }

    def predict(self, problem_ids: Sequence[str], *, step: int) -> Floats:
        """Return the pass rate that is expected of each problem at `step`, as is known by now."""
        indices = self._indices(list(problem_ids))
        own = self._chooser.predicted(indices, step)
        return self._history.predicted(indices, step) if own is None else own

    def follow(self, problem_ids: Sequence[str], *, step: int) -> None:
        """Take these problems as drawn at `step`, by another curriculum."""
        check_whole("step", step, max(0, self._step))
        names = list(problem_ids)
        indices = self._indices(names)
        self._begin(step)
        self._note_drawn(names, indices)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on exactly: numpy arrays and primitives.

        `curricula.plain` makes a file of it. Its size goes with the problems seen, not with all.
        """
        history, contents = self._history.state(), self._roster.contents
        accounts = self._accounts.state()
        awaited = np.fromiter(accounts["awaited"].values(), np.int64, len(accounts["awaited"]))
        return {
            **self._identity(),
            "categories": [list(pair) for pair in self._roster.categories],
            "history": history,
            "seen_ids": self.ids.packed(history["seen"]),
            "seen_contents": None if contents is None else contents[history["seen"]],
            "chooser": self._chooser.state(),
            "pacing": self._pacing.state(),
            "calibration": self._calibration.state(),
            "domains": self._domains.state(),
            "rng": self._rng.bit_generator.state,
            "step": self._step,
            "draws_in_step": self._draws_in_step,
            "recent": {step: indices.copy() for step, indices in self._recent.items()},
            "awaited_contents": None if contents is None else contents[awaited],
            **accounts,
        }

    def load_state_dict(self, state: dict[str, Any], *, reconcile: bool = False) -> None:
        """Load what `state_dict()` returned; StateError when it is not of this problem set.

        With `reconcile` a state of another problem set is accepted: what is known about problems
        and categories still present is taken over by name, new and edited ones start unseen. The
        metrics `num_forgotten` and `num_edited` count known problems that are gone or edited.
        Their drawn groups count as surplus where they were carried over (`carried` names those
        the next `select` still expects) and as unanswered where they were awaited. The next draws
        are then not those of the saved run. Kind, tiers and parts must be the same in any case.
        """
        changed = differs(state, self.state_dict(), self._roster, reconcile=reconcile)
        edited: set[str] = set()
        if changed:
            forgotten, edited = transfer(self._history, self._roster, state)
        else:
            check_fits(state, self.state_dict(), self.ids)
            self._history.restore(state["history"])
            self._chooser.restore(state["chooser"])
            self._domains.restore(state["domains"])
        self._pacing.restore(state["pacing"])
        self._calibration.restore(state["calibration"])
        self._rng.bit_generator.state = state["rng"]
        self._step = state["step"]
        self._draws_in_step = state["draws_in_step"]
        self._recent = {step: indices.copy() for step, indices in state["recent"].items()}
        self._accounts.restore(state)
        if changed:
            self._recent = {}
            self._accounts.move_to(self.ids, edited)
            self._accounts.add(forgotten=forgotten, edited=len(edited))

    @property
    def carried(self) -> list[str]:
        """The problems whose groups were carried over: the next `select` expects them."""
        return list(self._accounts.carried)

    def _identity(self) -> dict[str, Any]:
        if not self._identity_once:
            parts = (self._chooser, self._pacing, self._domains)
            self._identity_once = identity(self._kind, parts, self._history, self._roster)
        return self._identity_once
