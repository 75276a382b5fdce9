"""Everything of a run that is not in the learner, and whether what a file says of it agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rlcs.rollout.lengths import LengthState
from rlcs.run.batch import Batch
from rlcs.run.records import FormError
from rlcs.types import Completion, RolloutGroup


@dataclass(kw_only=True)
class TrainerState:
    """Everything of a run that is not in the learner."""

    steps_done: int = 0
    policy_version: int = 0
    curriculum: dict[str, Any] = field(default_factory=dict)
    """The curriculum's own state."""
    carried: list[RolloutGroup] = field(default_factory=list)
    """Valid groups kept for the next step."""
    ahead: list[Batch] = field(default_factory=list)
    """Collected and not yet learned from (overlapped schedule)."""
    lengths: LengthState = field(default_factory=LengthState)
    """How long completions were: :class:`~rlcs.rollout.lengths.LengthHistory`'s own state."""
    log_position: dict[str, int] = field(default_factory=dict)
    """Bytes of each log file that belong to the steps done."""
    num_rollouts: int = 0
    num_tokens: int = 0
    seconds: float = 0.0
    """Running time so far, over all sessions."""
    accuracy_before: dict[str, Any] | None = None
    """The evaluation made before the first step."""
    best_accuracy: float | None = None
    best_step: int | None = None


@dataclass(kw_only=True)
class SftState:
    """Everything of a cold start that is not in the learner."""

    steps_done: int = 0
    demonstrations: str = ""
    """A digest of what it learns from, in its order."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """The log so far, a row for each step that changed a weight."""
    seconds: float = 0.0
    """Running time so far, over all sessions."""


def check_sft(state: SftState) -> None:
    """Check that the parts of a cold start's state agree with one another.

    Raises:
        FormError: they do not.
    """
    _check(0 <= state.steps_done < 2**62, "state.steps_done", f"a count, not {state.steps_done}")
    steps = [row.get("step") for row in state.rows]
    known = all(type(step) is int and 0 < step <= state.steps_done for step in steps)
    _check(known, "state.rows", f"steps up to {state.steps_done}")


def check_coherent(state: TrainerState) -> None:
    """Check that the parts of a state, each of the right type, agree with one another.

    Raises:
        FormError: they do not.
    """
    counts = {
        "steps_done": state.steps_done,
        "policy_version": state.policy_version,
        "num_rollouts": state.num_rollouts,
        "num_tokens": state.num_tokens,
        "best_step": state.best_step or 0,
        **{f"log_position.{name}": number for name, number in state.log_position.items()},
    }
    for name, number in counts.items():
        _check(0 <= number < 2**62, f"state.{name}", f"a count, not {number}")
    _check_groups(state.carried, "state.carried")
    for at, batch in enumerate(state.ahead):
        where, step = f"state.ahead[{at}]", state.steps_done + 1 + at
        _check(batch.step == step, f"{where}.step", f"{step}, not {batch.step}")
        _check_groups(batch.drawn, f"{where}.drawn")
        _check_groups(batch.candidates, f"{where}.candidates")
        ids = {group.problem.problem_id for group in batch.candidates}
        _check(batch.fates.keys() == ids, f"{where}.fates", "the fate of each candidate")


def _check_groups(groups: Sequence[RolloutGroup], where: str) -> None:
    ids = {group.problem.problem_id for group in groups}
    _check(len(ids) == len(groups), where, "each problem once")
    for at, group in enumerate(groups):
        here, name, size = f"{where}[{at}]", group.problem.problem_id, len(group.completions)
        _check(size > 0, f"{here}.completions", "some")
        for what in ("verdicts", "rewards", "passed"):
            _check(len(getattr(group, what)) == size, f"{here}.{what}", f"{size}, one a completion")
        names = {group.prompt.problem_id, *(each.problem_id for each in group.completions)}
        _check(names == {name}, here, f"all of {name!r}")
        _check(_is_text(group.prompt.token_ids), f"{here}.prompt.token_ids", "token ids")
        if group.prompt.images:
            told = group.prompt.template_ids
            _check(told is not None and _is_text(told), f"{here}.prompt.template_ids", "token ids")
        for number, completion in enumerate(group.completions):
            _check_completion(completion, f"{here}.completions[{number}]")


def _check_completion(completion: Completion, where: str) -> None:
    length = len(completion.token_ids)
    _check(_is_text(completion.token_ids), f"{where}.token_ids", "token ids")
    for what in ("logprobs", "loss_mask"):
        _check(
            len(getattr(completion, what)) == length, f"{where}.{what}", f"{length}, one a token"
        )
    _check(
        not completion.segments
        or (
            all(tokens >= 0 for tokens, _ in completion.segments)
            and sum(tokens for tokens, _ in completion.segments) == length
        ),
        f"{where}.segments",
        f"segments of {length} tokens in all",
    )


def _is_text(token_ids: Any) -> bool:
    """Whether there are tokens, and each has an id that may be one."""
    return bool(len(token_ids) and token_ids.min() >= 0 and token_ids.max() < 2**31)


def _check(holds: bool, where: str, expected: str) -> None:
    if not holds:
        raise FormError(f"{where}: expected {expected}")
