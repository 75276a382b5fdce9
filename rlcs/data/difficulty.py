"""What is known of the training problems' difficulty before a run: a table, people's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from curricula import (
    CurriculumError,
    DifficultyTable,
    Grades,
    TableError,
    label_pass_rate,
    merge_grades,
    read_grades,
    with_labels,
)
from rlcs.config import CurriculumSection, DifficultySection
from rlcs.data.load import list_problems
from rlcs.errors import ConfigError, sentence
from rlcs.types import Problem

MAX_SHOWN = 3


def grade_problems(
    section: DifficultySection, curriculum: CurriculumSection, train: Sequence[Problem]
) -> tuple[list[Problem], list[str]]:
    """The problems with the pass rates that ``section`` gives them, and notes on the result.

    A label that names a tier gets its pass rate from the tiers of ``curriculum``.

    Raises:
        ConfigError: the table cannot be used or is of other problems, a model is not in it, or
            labels are neither a tier nor on the scale; the message names all such labels.
    """
    problems = {problem.problem_id: problem for problem in train}
    try:
        grades = _read(section)
        if section.path is not None:
            _check_table(section.path, grades, problems)
        labels = {} if section.labels == "ignore" else _labels(grades, problems)
        rates = _label_rates(curriculum, section, labels)
        merged = _merge(section, grades, rates)
    except CurriculumError as error:
        raise ConfigError(f"data.difficulty: {sentence(error)}") from error
    known = merged.pass_rates
    graded = [
        replace(each, prior_pass_rate=known.get(each.problem_id, each.prior_pass_rate))
        for each in train
    ]
    return graded, _notes(section, grades, graded, len(rates))


def _read(section: DifficultySection) -> Grades:
    if section.path is not None:
        return read_grades(section.path)
    none = np.zeros((0, 0))
    return Grades(ids=[], models=[], passes=none, attempts=none, errors=none, labels=[])


def _merge(
    section: DifficultySection, grades: Grades, rates: Mapping[str, float]
) -> DifficultyTable:
    merged = merge_grades(grades, section.merge, models=section.models)
    if section.labels == "ignore" or not rates:
        return merged
    return with_labels(merged, rates, section.labels, weight=section.label_weight)


def _check_table(path: str, grades: Grades, problems: Mapping[str, Problem]) -> None:
    if not any(name in problems for name in grades.ids):
        raise TableError(
            f"expected a table of this run's problems, found {len(grades.ids)} others in {path} "
            f"(theirs: {_some(grades.ids)}; the run's: {_some(problems)}). Ids that are made "
            "depend on question, system prompt, reference and domain: grade the data as the run "
            "reads it, or name a column of ids (columns.id)"
        )


def _labels(grades: Grades, problems: Mapping[str, Problem]) -> dict[str, str]:
    """The label of each problem that has one: its own, or else the table's."""
    table = {
        name: label
        for name, label in zip(grades.ids, grades.labels, strict=True)
        if label and name in problems
    }
    own = {
        name: problem.difficulty_label
        for name, problem in problems.items()
        if problem.difficulty_label is not None
    }
    return {**table, **own}


def _label_rates(
    curriculum: CurriculumSection, section: DifficultySection, labels: Mapping[str, str]
) -> dict[str, float]:
    easiest, hardest = section.label_scale
    rates: dict[str, float] = {}
    wrong: list[str] = []
    by_label: dict[str, float] = {}
    for name, label in labels.items():
        try:
            if label not in by_label:
                by_label[label] = label_pass_rate(
                    label,
                    tiers=curriculum.settings["tiers"],
                    boundaries=curriculum.settings["boundaries"],
                    scale=(easiest, hardest),
                )
            rates[name] = by_label[label]
        except TableError as error:
            wrong.append(f"{name}: {sentence(error)}")
    if wrong:
        raise ConfigError(
            f"{list_problems('in the labels', wrong)}\nSet data.difficulty.label_scale to the "
            "labels' own scale, or data.difficulty.labels=ignore."
        )
    return rates


def _notes(
    section: DifficultySection, grades: Grades, problems: Sequence[Problem], num_labels: int
) -> list[str]:
    names = {problem.problem_id for problem in problems}
    graded = [each.prior_pass_rate for each in problems if each.prior_pass_rate is not None]
    by = [
        *(
            [f"{section.merge} of {', '.join(section.models or grades.models)}"]
            if grades.ids
            else []
        ),
        *([f"{num_labels:,} labels ({section.labels})"] if num_labels else []),
    ]
    mean = f", mean pass rate {100 * sum(graded) / len(graded):.1f}%" if graded else ""
    notes = [
        f"difficulty: {len(graded):,} of {len(problems):,} training problems are graded by "
        f"{' and '.join(by)}{mean}; the others start unknown."
    ]
    if foreign := sum(name not in names for name in grades.ids):
        notes.append(
            f"difficulty: {foreign:,} of {len(grades.ids):,} problems in {section.path} are not "
            "training problems of this run and are left out."
        )
    return notes


def _some(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(repr(name) for name in every[:MAX_SHOWN])
    return f"{shown}, ..." if len(every) > MAX_SHOWN else shown
