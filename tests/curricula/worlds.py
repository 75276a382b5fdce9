"""Small worlds to run curricula in: problems, and a model that passes each with a fixed chance."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from curricula import (
    Curriculum,
    CurriculumProblem,
    Draw,
    Fate,
    Grades,
    GroupResult,
    SamplingCurriculum,
    make_curriculum,
)

GROUP_SIZE = 8
IDS = [f"p{i}" for i in range(120)]
NOT_EXPANDED = {"initial_expansion": 1, "expansion_cap": 1}


def problems(num: int, num_categories: int = 6, graded: bool = False) -> list[CurriculumProblem]:
    """Categories from nearly always right to nearly always wrong, in two domains."""
    return [
        CurriculumProblem(
            problem_id=f"p{i}",
            domain=("math", "chart")[i % num_categories % 2],
            category=f"c{i % num_categories}",
            prior_pass_rate=chance(f"p{i}", num_categories) if graded else None,
        )
        for i in range(num)
    ]


def chance(problem_id: str, num_categories: int = 6) -> float:
    """The model's true pass rate."""
    i = int(problem_id[1:])
    ease = 6 - 12 * (i % num_categories) / (num_categories - 1)
    spread = (i * 0.618034) % 1 * 4 - 2
    return float(1 / (1 + np.exp(-(ease + spread))))


def roll_out(draws: Sequence[Draw], step: int, error_rate: float = 0.0) -> list[GroupResult]:
    """Results of a policy that does not learn; the same draws at a step give the same results."""
    results = []
    for draw in draws:
        rng = np.random.default_rng([step, int(draw.problem_id[1:])])
        errors = int(rng.binomial(GROUP_SIZE, error_rate))
        attempts = GROUP_SIZE - errors
        passes = int(rng.binomial(attempts, chance(draw.problem_id)))
        results.append(GroupResult(draw.problem_id, step, passes, attempts, errors))
    return results


def run(
    curriculum: Curriculum, steps: range, num_groups: int = 16, error_rate: float = 0.0
) -> list[tuple[list[Draw], dict[str, Fate]]]:
    """The loop of a trainer, without the training."""
    log = []
    for step in steps:
        drawn: list[Draw] = []
        results: list[GroupResult] = []
        while draws := curriculum.draw(num_groups, step=step):
            drawn += draws
            part = roll_out(draws, step, error_rate)
            curriculum.observe(part)
            results += part
        log.append((drawn, curriculum.select(results, num_groups)))
    return log


def make(kind: str, num: int = 600, seed: int = 1, **settings: object) -> SamplingCurriculum:
    """A curriculum over `num` graded problems."""
    return make_curriculum(
        kind, problems(num, graded=True), group_size=GROUP_SIZE, seed=seed, **settings
    )


def assert_same_state(one: object, other: object, path: str = "state") -> None:
    if isinstance(one, dict):
        assert isinstance(other, dict), path
        assert one.keys() == other.keys(), path
        for key in one:
            assert_same_state(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list):
        assert isinstance(other, list), path
        for index, (each, same) in enumerate(zip(one, other, strict=True)):
            assert_same_state(each, same, f"{path}[{index}]")
    elif isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray), path
        assert (one.dtype, one.shape) == (other.dtype, other.shape), path
        assert one.tobytes() == other.tobytes(), path
    else:
        assert type(one) in (int, float, str, bytes, bool, type(None)), f"{path}: {type(one)}"
        assert one == other, path


def curriculum_over(rows: list[CurriculumProblem], kind: str = "rlcs") -> SamplingCurriculum:
    return make_curriculum(kind, rows, group_size=8, seed=0)


def with_texts(num: int, edited: set[int]) -> list[CurriculumProblem]:
    return [
        dataclasses.replace(problem, content=f"text {i}{' edited' if i in edited else ''}")
        for i, problem in enumerate(problems(num))
    ]


def grades_of(**changed: Any) -> Grades:
    """Three models, four problems; `c` was asked by the first alone, `d` by nobody.

    Rates over the problems that all were asked, `a` and `b`: old .25, middle .75, new .5.
    """
    fields: dict[str, Any] = {
        "ids": ["a", "b", "c", "d"],
        "models": ["old", "middle", "new"],
        "passes": np.array([[0.0, 4, 6, 0], [4, 8, 0, 0], [4, 2, 0, 0]]),
        "attempts": np.array([[8.0, 8, 8, 0], [8, 8, 0, 0], [4, 8, 0, 0]]),
        "errors": np.array([[0.0, 0, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]]),
        "labels": ["hard", "", "", "2"],
    }
    return Grades(**{**fields, **changed})


def verdicts(names: Sequence[str], step: int) -> tuple[list[str], list[bool | None]]:
    """Judged completions of these problems, shuffled together."""
    results = roll_out([Draw(name, 1.0, "") for name in names], step, error_rate=0.1)
    flat = [
        (result.problem_id, verdict)
        for result in results
        for verdict in [
            *[True] * result.passes,
            *[False] * (result.attempts - result.passes),
            *[None] * result.errors,
        ]
    ]
    flat.sort(key=lambda each: hash((each[0], each[1], step)))
    return [name for name, _ in flat], [verdict for _, verdict in flat]
