"""What is known of the training problems' difficulty before a run: a table, people's labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
from rlcs.data.messages import list_problems
from rlcs.data.problem_list import Problems
from rlcs.errors import ConfigError, sentence

MAX_SHOWN = 3


def grade_problems(
    section: DifficultySection, curriculum: CurriculumSection, train: Problems
) -> tuple[Problems, list[str]]:
    """The problems with the pass rates that ``section`` gives them, and notes on the result.

    A label that names a tier gets its pass rate from the tiers of ``curriculum``.

    Raises:
        ConfigError: the table cannot be used or is of other problems, a model is not in it, or
            labels are neither a tier nor on the scale; the message names all such labels.
    """
    try:
        grades = _read(section)
        if section.path is not None:
            _check_table(section.path, grades, train)
        labels = {} if section.labels == "ignore" else _labels(grades, train)
        by_label = _label_rates(curriculum, section, labels)
        num_labels = len(by_label)
        merged = _merge(section, grades, by_label)
    except CurriculumError as error:
        raise ConfigError(f"data.difficulty: {sentence(error)}") from error
    known = merged.pass_rates
    names = list(known)
    rates, at = train.columns.rates.copy(), train.positions(names)
    rates[at[at >= 0]] = np.array([known[name] for name in names])[at >= 0]
    graded = train.with_rates(rates)
    return graded, _notes(section, grades, graded, num_labels)


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


def _check_table(path: str, grades: Grades, problems: Problems) -> None:
    if not (problems.positions(grades.ids) >= 0).any():
        some = problems.ids(range(min(MAX_SHOWN + 1, len(problems))))
        raise TableError(
            f"expected a table of this run's problems, found {len(grades.ids)} others in {path} "
            f"(theirs: {_some(grades.ids)}; the run's: {_some(some)}). Ids that are made "
            "depend on question, system prompt, reference and domain: grade the data as the run "
            "reads it, or name a column of ids (columns.id)"
        )


def _labels(grades: Grades, problems: Problems) -> dict[str, str]:
    """The label of each problem that has one: its own, or else the table's."""
    here = problems.positions(grades.ids) >= 0
    table = {
        name: label
        for name, label, known in zip(grades.ids, grades.labels, here, strict=True)
        if label and known
    }
    labels = problems.columns.labels
    return {**table, **dict(zip(problems.ids(list(labels)), labels.values(), strict=True))}


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
    section: DifficultySection, grades: Grades, problems: Problems, num_labels: int
) -> list[str]:
    graded = problems.columns.rates[~np.isnan(problems.columns.rates)]
    by = [
        *(
            [f"{section.merge} of {', '.join(section.models or grades.models)}"]
            if grades.ids
            else []
        ),
        *([f"{num_labels:,} labels ({section.labels})"] if num_labels else []),
    ]
    mean = f", mean pass rate {100 * graded.mean():.1f}%" if len(graded) else ""
    notes = [
        f"difficulty: {len(graded):,} of {len(problems):,} training problems are graded by "
        f"{' and '.join(by)}{mean}; the others start unknown."
    ]
    if foreign := int((problems.positions(grades.ids) < 0).sum()):
        notes.append(
            f"difficulty: {foreign:,} of {len(grades.ids):,} problems in {section.path} are not "
            "training problems of this run and are left out."
        )
    return notes


def _some(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(repr(name) for name in every[:MAX_SHOWN])
    return f"{shown}, ..." if len(every) > MAX_SHOWN else shown
