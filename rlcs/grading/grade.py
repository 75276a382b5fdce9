"""``rlcs grade``: ask, judge, save, chunk by chunk and model by model; then table and chart.

Left out: asking until a rate is known well enough. k is the same for every problem, so that
pass@k means the same everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from curricula import Grades
from rlcs.config import GradeConfig, GradedModelSection, ModelSection
from rlcs.data import Fault, Problems, Renderer, load_problems, most_shown, write_dropped
from rlcs.errors import EngineError, StorageError
from rlcs.files import check_room, writing
from rlcs.grading.chart import plot_chart, show_chart
from rlcs.grading.endpoint import EndpointResponder
from rlcs.grading.folder import CHART_NAME, GradingFolder
from rlcs.grading.pass_at_k import parts_of
from rlcs.grading.progress import GradingProgress
from rlcs.grading.responders import Answer, EngineQuestions, Engines, Responder, instructed
from rlcs.rollout.actors import check_engine
from rlcs.run.checkpoint import find_model
from rlcs.run.interruption import INTERRUPTED, interruption
from rlcs.run.screen import Screen
from rlcs.scoring import Scorer
from rlcs.types import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Grading:
    """Everything that a grading works with."""

    config: GradeConfig
    problems: Problems
    dropped: Sequence[Fault]
    """Rows that cannot be used and were left out."""
    scorer: Scorer
    folder: GradingFolder
    questions: dict[str, EngineQuestions]
    """Model name → its prompts, for models of ours that have chunks left to answer."""
    engines: Engines
    progress: GradingProgress

    def missing(self, model: GradedModelSection) -> list[int]:
        """Indices of the chunks that ``model`` has not answered yet."""
        return self.folder.missing(model.name)


def grade(config: GradeConfig) -> int:
    """Grade what is not graded yet, and write table and chart; returns the exit status.

    Raises what :func:`answer_all` does.
    """
    again = f"rlcs grade CONFIG grade.name={config.grade.name}"
    return answer_all(config, _finish, again=f"the same command, for example: {again}")


def answer_all(config: GradeConfig, finish: Callable[[Grading], None], *, again: str) -> int:
    """Have every model answer every problem that it has not answered yet, then call ``finish``.

    ``again`` is the command that goes on with what was stopped. Returns the exit status.

    Raises:
        ConfigError, DatasetError, ModelError, RunFolderError: before anything is asked.
        EngineError: an engine was lost or an endpoint does not answer; what was graded is kept.
        StorageError: the disk is full, read-only or gone; what was graded is kept.
    """
    scorer, engines = Scorer(config.scoring), Engines(config)
    try:
        grading = _prepare(config, scorer, engines)
        with interruption("this chunk") as interrupted, grading.progress:
            for model in config.models:
                _grade_model(grading, model, interrupted)
        if any(grading.missing(model) for model in config.models):
            grading.progress.say(f"stopped; whole chunks are saved. Go on with {again}")
            return INTERRUPTED
        finish(grading)
        return 0
    except StorageError as error:
        raise error.advising("What was graded is kept: go on with the same command.") from error
    finally:
        engines.close()
        scorer.close()


def _prepare(config: GradeConfig, scorer: Scorer, engines: Engines) -> Grading:
    """Load and check everything; nothing is written or started but verifier processes."""
    with Screen():
        loaded = load_problems(config, pool=scorer.pool)
    problems = loaded.train
    folder = GradingFolder(config, problems)
    check_room("the grading", folder.path)
    left = {model.name: len(folder.missing(model.name)) for model in config.models}
    if any(model.path is not None for model in config.models):
        check_engine(config.rollout)
    questions = {
        model.name: _questions(config, model, problems)
        for model in config.models
        if model.path is not None and left[model.name]
    }
    total = folder.num_chunks * len(config.models)
    progress = GradingProgress(num_chunks=total, chunks_done=total - sum(left.values()))
    for note in loaded.notes:
        progress.say(note)
    if 0 < sum(left.values()) < total:
        progress.say(f"going on with {folder.path}: {total - sum(left.values())} of {total} chunks")
    return Grading(
        config=config,
        problems=problems,
        dropped=loaded.dropped,
        scorer=scorer,
        folder=folder,
        questions=questions,
        engines=engines,
        progress=progress,
    )


def _questions(
    config: GradeConfig, model: GradedModelSection, problems: Problems
) -> EngineQuestions:
    assert model.path is not None
    path = str(find_model(model.path)) if Path(model.path).exists() else model.path
    asked = ModelSection(
        path=path,
        dtype=model.dtype,
        trust_code=model.trust_code,
        image_tokens=model.image_tokens,
    )
    renderer = Renderer.of_model(asked, config.rollout.max_prompt_tokens)
    renderer.check_lengths(instructed(problem, model.system_prompt) for problem in problems)
    return EngineQuestions(model=asked, renderer=renderer, shown=most_shown(problems))


def _grade_model(grading: Grading, model: GradedModelSection, interrupted: list[int]) -> None:
    missing = grading.missing(model)
    if not missing or interrupted:
        return
    responder = _responder(grading, model)
    try:
        for index in missing:
            if interrupted:
                return
            started = time.perf_counter()  # the start of the engines does not count
            problems = grading.folder.chunk(index)
            with_system = [instructed(problem, model.system_prompt) for problem in problems]
            rows = _judge(grading.scorer, problems, responder.respond(with_system))
            grading.folder.save(model.name, index, rows)
            grading.progress.show_chunk(model.name, rows, time.perf_counter() - started)
    except EngineError as error:
        raise EngineError(
            f"{model.name}: {error} What was graded is kept: go on with the same command."
        ) from error
    finally:
        responder.close()


def _responder(grading: Grading, model: GradedModelSection) -> Responder:
    if model.endpoint is not None:
        config = grading.config
        return EndpointResponder(model.endpoint, config.rollout, config.grade.attempts)
    return grading.engines.responder(grading.questions[model.name])


def _judge(
    scorer: Scorer, problems: Sequence[Problem], answers: Sequence[Sequence[Answer]]
) -> list[dict[str, Any]]:
    """Rows of a chunk, one an attempt; ``passed`` is None without an answer or a verdict."""
    given = [[answer for answer in group if answer.text is not None] for group in answers]
    texts = [[answer.text or "" for answer in group] for group in given]
    rows = []
    for problem, group, judged in zip(
        problems, answers, scorer.judge_texts(problems, texts), strict=True
    ):
        verdicts = iter(judged)
        for index, answer in enumerate(group):
            row: dict[str, Any] = {
                "problem_id": problem.problem_id,
                "index": index,
                "text": answer.text,
                "passed": None,
                "outcome": "error",
                "detail": answer.detail,
                "finish_reason": answer.finish_reason,
                "tokens": answer.num_tokens,
            }
            if answer.text is not None:
                verdict = next(verdicts)
                row |= {
                    "passed": None
                    if verdict.ours_failed
                    else scorer.passed(problem.domain, verdict),
                    "outcome": verdict.outcome.value,
                    "score": verdict.score,
                    "extracted": verdict.extracted,
                    "detail": verdict.detail,
                }
            rows.append(row)
    return rows


def _finish(grading: Grading) -> None:
    """Write the table, show the chart, and say what was counted apart."""
    grades = grading.folder.grades()
    table = grading.folder.write_table(grades)
    write_dropped(grading.folder.path, grading.dropped)
    console = Console()
    k = grading.config.grade.attempts
    charts = [
        (name, parts_of(grades, row, grading.problems, k)) for row, name in enumerate(grades.models)
    ]
    for name, parts in charts:
        show_chart(console, name, parts)
    say = grading.progress.say
    _say_errors(grades, k, say)
    path = grading.folder.path / CHART_NAME
    with writing("the chart", grading.folder.path):
        drawn = plot_chart(path, charts)
    if drawn:
        say(f"chart: {path}")
    else:
        say("no chart: matplotlib is not installed (pip install 'rlcs[plots]')")
    say(f"done: {table}; train with it: rlcs train CONFIG data.difficulty.path={table}")


def _say_errors(grades: Grades, k: int, say: Any) -> None:
    for name, errors, attempts in zip(grades.models, grades.errors, grades.attempts, strict=True):
        if errors.any():
            say(
                f"{name}: {errors.sum():,.0f} attempts at {(errors > 0).sum():,} problems could "
                f"not be had or judged; they count neither way. {(attempts == 0).sum():,} problems "
                f"have no judged attempt, {(attempts < k).sum():,} are left out of pass@{k}. "
                f"See the column detail of the files under attempts/{name}."
            )
