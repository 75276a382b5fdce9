"""What answers problems in a grading: engines of ours, in Ray actors, or an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import ProcessPlan, start_cluster, stop_cluster
from rlcs.config import GradeConfig, ModelSection
from rlcs.data import Renderer
from rlcs.rollout.engine import GroupRequest
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.settings import engine_settings, training_sampling
from rlcs.seeds import derive_seed
from rlcs.types import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One attempt of a model at a problem."""

    text: str | None
    """None where the endpoint refused the request: our failure, not the model's."""
    finish_reason: str
    num_tokens: int | None
    """Sampled tokens, None where their number is not known."""
    detail: str = ""
    """Why there is no text."""


class Responder(Protocol):
    """A model that is ready to answer problems."""

    def respond(self, problems: Sequence[Problem]) -> list[list[Answer]]:
        """Answer each problem ``grade.attempts`` times; a list of answers a problem, in order.

        Raises:
            EngineError: an engine was lost, or the endpoint does not answer.
        """
        ...

    def close(self) -> None:
        """End the processes, or close the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineQuestions:
    """The problems as an engine's model reads them."""

    model: ModelSection
    renderer: Renderer
    shown: Mapping[str, int]
    """How many pictures and videos a prompt has at most."""


class Engines:
    """The cluster under the engines: it starts with the first model and stays for the next ones."""

    def __init__(self, config: GradeConfig) -> None:
        self._config = config
        self._plan: ProcessPlan | None = None

    def responder(self, questions: EngineQuestions) -> EngineResponder:
        """Start the engines of one model; returns when they are ready to answer."""
        if self._plan is None:
            needs = Needs(
                num_engines=self._config.rollout.num_actors,
                num_ranks=0,
                engine_width=self._config.rollout.engine_width,
            )
            self._plan = start_cluster(self._config.hardware, needs)
        return EngineResponder(self._config, questions, self._plan)

    def close(self) -> None:
        """Leave the cluster, if it was started; a local one ends."""
        if self._plan is not None:
            stop_cluster()


class EngineResponder:
    """Engines of ours that answer problems.

    Seeds are the same for every model, so that differences between answers are the models'.
    """

    def __init__(self, config: GradeConfig, questions: EngineQuestions, plan: ProcessPlan) -> None:
        """Start the engines and wait for them."""
        self._grade = config.grade
        self._renderer = questions.renderer
        self._sampling = training_sampling(config.rollout)
        self._pool = RolloutPool(
            engine_settings(
                model=questions.model,
                rollout=config.rollout,
                lora=None,
                renderer=questions.renderer,
                plan=plan,
                shown=questions.shown,
            ),
            num_actors=config.rollout.num_actors,
            plan=plan,
        )
        self._pool.wait_until_ready()

    def respond(self, problems: Sequence[Problem]) -> list[list[Answer]]:
        """Answer each problem ``grade.attempts`` times; a list of answers a problem, in order.

        The answers are a pure function of seed, problems and weights.

        Raises:
            EngineError: a work item was lost too often, or no engine is left.
        """
        prompts = self._renderer.render_all(problems)
        requests = [
            GroupRequest(
                prompt=prompts[problem.problem_id],
                seeds=tuple(
                    derive_seed(self._grade.seed, "grade", problem.problem_id, index)
                    for index in range(self._grade.attempts)
                ),
            )
            for problem in problems
        ]
        return [
            [
                Answer(
                    text=completion.text,
                    finish_reason=completion.finish_reason.value,
                    num_tokens=len(completion.token_ids),
                )
                for completion in group
            ]
            for group in self._pool.generate(requests, self._sampling)
        ]

    def close(self) -> None:
        """End the engines: Ray ends actors that nobody holds."""
        del self._pool


def instructed(problem: Problem, system_prompt: str | None) -> Problem:
    """The problem with ``system_prompt`` as its first turn, unless it has one; its id stays."""
    if system_prompt is None or problem.messages[0]["role"] == "system":
        return problem
    turn = {"role": "system", "content": system_prompt}
    return replace(problem, messages=(turn, *problem.messages))
