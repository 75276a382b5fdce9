"""The data section of a configuration as problems: everything checked before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field, replace

import rewards
from rlcs.config import DataSection, SourceSection, VideoSection
from rlcs.data.problems import BadRowError, build_problem
from rlcs.data.sources import read_rows
from rlcs.errors import DatasetError
from rlcs.types import Problem

MAX_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedData:
    """The problems of a run."""

    train: list[Problem]
    heldout: list[Problem]
    """Never trained on; empty when nothing is held out."""
    notes: list[str]
    """What was left out and why, a sentence each."""


@dataclass
class _Collected:
    """The problems of one list of sources while it is read."""

    problems: dict[str, Problem] = field(default_factory=dict)
    """Id → problem."""
    locations: dict[str, str] = field(default_factory=dict)
    """Id → the file and line of its row."""
    num_repeats: Counter[str] = field(default_factory=Counter)
    """Id made from content → rows that came again with the same content."""
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load_data(section: DataSection, *, extra_domains: Collection[str] = ()) -> LoadedData:
    """Load, check and name all problems of ``section``.

    A row's domain must have a verifier: one of ``rewards.domains()`` or of
    ``extra_domains``, the names with a verifier of the user's own. Rows of ``train`` that
    ask what a held-out row asks (spacing and system prompt aside) are taken out. Ids are
    unique over both lists.

    Raises:
        DatasetError: rows or sources cannot be used, or no problem is left to train on; the
            message names each row by file and line (the first 20 are shown).
        PackageMissingError: reasoning-gym is needed and not installed.
    """
    domains = {*rewards.domains(), *extra_domains}
    train = _collect(section.train, section.video, domains)
    heldout = _collect(section.heldout, section.video, domains)
    errors = [*train.errors, *heldout.errors]
    if errors:
        raise DatasetError(list_problems("in the data", errors))
    notes = [*train.notes, *heldout.notes]
    kept = _without_heldout(list(train.problems.values()), list(heldout.problems.values()))
    if num_taken := len(train.problems) - len(kept):
        notes.append(
            f"{num_taken} of {len(train.problems)} training problems are also held out "
            "and were taken out of training."
        )
    if clashes := _clashing_ids(kept, train, heldout):
        raise DatasetError(list_problems("between data.train and data.heldout", clashes))
    if not kept:
        raise DatasetError(
            f"data.train: expected problems to train on, found none left: all "
            f"{len(train.problems)} are also in data.heldout. Hold out other rows."
        )
    return LoadedData(train=kept, heldout=list(heldout.problems.values()), notes=notes)


def list_problems(where: str, problems: Sequence[str]) -> str:
    """One message of many sentences: how many there are, then the first 20 of them."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"{count} {where}:", *problems[:MAX_SHOWN]]
    if len(problems) > MAX_SHOWN:
        lines.append(f"and {len(problems) - MAX_SHOWN} more.")
    return "\n  ".join(lines)


def _collect(
    sources: Sequence[SourceSection], video: VideoSection, domains: Set[str]
) -> _Collected:
    collected = _Collected()
    for source in sources:
        try:
            _add_source(collected, source, video, domains)
        except DatasetError as error:
            collected.errors.append(str(error))
    return collected


def _add_source(
    collected: _Collected, source: SourceSection, video: VideoSection, domains: Set[str]
) -> None:
    found = read_rows(source)
    collected.errors += found.bad_rows
    num_repeated = 0
    for row in found.rows:
        try:
            problem = build_problem(row, source, domains, video)
        except BadRowError as error:
            collected.errors.append(f"{row.location}: {error}.")
            continue
        if problem.problem_id in collected.locations:
            if source.reasoning_gym is not None:
                num_repeated += 1
                continue
            if source.columns.id is not None:
                collected.errors.append(
                    f"{row.location}: expected a new id, found {problem.problem_id!r} again, first "
                    f"at {collected.locations[problem.problem_id]}. Give each row its own id, or "
                    "leave columns.id out and ids are made."
                )
                continue
            problem = replace(problem, problem_id=_next_free(problem.problem_id, collected))
        collected.problems[problem.problem_id] = problem
        collected.locations[problem.problem_id] = row.location
    if num_repeated:
        collected.notes.append(
            f"{source.name}: {num_repeated} of {len(found.rows)} generated problems repeat an "
            "earlier one and were left out."
        )


def _next_free(problem_id: str, collected: _Collected) -> str:
    while True:  # ends at once unless a row was given such an id
        collected.num_repeats[problem_id] += 1
        name = f"{problem_id}-{collected.num_repeats[problem_id] + 1}"
        if name not in collected.locations:
            return name


def _without_heldout(train: list[Problem], heldout: list[Problem]) -> list[Problem]:
    taken = {_question_key(problem) for problem in heldout}
    return [problem for problem in train if _question_key(problem) not in taken]


def _clashing_ids(kept: list[Problem], train: _Collected, heldout: _Collected) -> list[str]:
    return [
        f"{train.locations[problem_id]}: expected an id of its own, found {problem_id!r}, which "
        f"{heldout.locations[problem_id]} has with another question. Make the ids differ, or leave "
        "columns.id out and ids are made."
        for problem_id in (problem.problem_id for problem in kept)
        if problem_id in heldout.locations
    ]


def _question_key(problem: Problem) -> tuple[tuple[str, str], ...]:
    turns = (
        (turn["role"], " ".join(turn["content"].split()))
        for turn in problem.messages
        if turn["role"] != "system"
    )
    return *turns, *(("image", image.digest) for image in problem.images)
