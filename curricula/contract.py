"""What passes between a trainer and a curriculum, and the verbs every curriculum has.

Only primitives: ids and counts. A curriculum never sees a prompt, a completion or a reward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class CurriculumProblem:
    """One dataset row, as far as a curriculum needs to know it.

    `prior_pass_rate` is the offline estimate of the pass rate, in [0, 1]; None when nobody graded
    the problem. Problems of one `category` of one `domain` are taken to be of related difficulty.
    `content` is the problem's text (whatever makes it another problem when it is edited); only a
    fingerprint of it is kept, by which a saved state notices the edit.
    """

    problem_id: str
    domain: str
    category: str
    prior_pass_rate: float | None = None
    content: str = ""


class Draw(NamedTuple):
    """One problem to roll out (a tuple, because thousands are made at every step).

    `probability` is the inclusion probability: the chance, given all that the curriculum knew just
    before the call of `draw` that returned this, that this call returned this problem. Over all
    problems it sums to the number of problems the call returned. One over it is therefore the
    Horvitz-Thompson weight that turns a sum over drawn problems into an unbiased estimate of the
    sum over all problems. With Thompson sampling "all that it knew" includes the sampled values;
    with shuffled epochs (`uniform`, `dapo`) the order of the shuffle counts as unknown.

    `tier` is the name of the difficulty tier the problem was taken to be in when drawn.
    """

    problem_id: str
    probability: float
    tier: str


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How the completions of one problem fared at one step.

    `attempts` counts the completions that could be judged, `passes` those of them that passed.
    `errors` counts completions that *we* failed to judge; they are in neither of the two.
    `step` is the step (policy version) the completions were generated at. `tokens` is the length
    of all of them together, by which `frontier` tells what problems cost; 0 where nobody counted.
    """

    problem_id: str
    step: int
    passes: int
    attempts: int
    errors: int
    tokens: int = 0

    @property
    def valid(self) -> bool:
        """Neither all passed nor all failed: the group has something to teach."""
        return 0 < self.passes < self.attempts

    @property
    def errored(self) -> bool:
        """Not valid, and at least half of its completions are our failures: it tells nothing."""
        return not self.valid and self.errors >= self.attempts


class Fate(StrEnum):
    """What became of a rolled-out group."""

    TRAINED = "trained"
    SURPLUS = "surplus"
    """Valid, but the batch was full."""
    INVALID = "invalid"
    """All passed or all failed: no advantage to learn from."""
    ERRORED = "errored"
    """At least half of its completions are our failures and the rest do not make it valid."""
    CARRIED = "carried"
    """Valid, the batch was full, and kept for the next step (`carry_over` only)."""


class Curriculum(Protocol):
    """Chooses the next problems from how often the model solved the earlier ones.

    A step of a trainer:

        while draws := curriculum.draw(num_groups, step=step):
            results = roll_out_and_judge(draws)
            curriculum.observe(results)
        fates = curriculum.select(all_results_of_the_step, num_groups)
    """

    screening: int
    """How many completions of a group to generate first, and the rest only of those that disagree.

    Of a group that stays short all attempts were equal: it is INVALID. 0 generates all at once.
    """

    def draw(self, num_groups: int, *, step: int) -> list[Draw]:
        """What to roll out next so that about `num_groups` valid groups result.

        Already expanded; in random order; no problem twice in a step. Call it again after
        `observe`, until it returns an empty list: this step needs no more.
        Steps may not go backwards (SettingsError).
        """
        ...

    def observe(self, results: Sequence[GroupResult]) -> None:
        """Learn from what happened. UnknownProblemError, ObservationError: nothing was learned."""
        ...

    def select(self, results: Sequence[GroupResult], num_groups: int) -> dict[str, Fate]:
        """The fate of every given group; at most `num_groups` are TRAINED.

        The most balanced valid groups come first; ties go to the earlier in `results`, so hand
        results over in the order of the draws, not in the order in which they finished.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on exactly: what `curricula.plain` can write."""
        ...

    def load_state_dict(self, state: dict[str, Any], *, reconcile: bool = False) -> None:
        """Go on from a `state_dict`. StateError when it is not of this problem set.

        With `reconcile` it may be of another: what is known of the problems still here goes on.
        """
        ...

    @property
    def carried(self) -> list[str]:
        """The problems whose groups were carried over: the next `select` expects them."""
        ...

    def metrics(self) -> dict[str, float]:
        """Numbers to log after a step, by flat name."""
        ...
