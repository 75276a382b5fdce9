"""The parts of a run and how they are started: data, prompts, scorer, engines, ranks.

Everything a user can get wrong is checked before the first process starts.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import curricula
from curricula import Curriculum, CurriculumError
from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.placement import Needs
from rlcs.cluster.placement_rules import check_placement
from rlcs.cluster.ray_cluster import start_cluster, stop_cluster
from rlcs.config import RanksSection, RunConfig, VllmSection
from rlcs.data import LoadedData, Renderer, check_references, load_data
from rlcs.errors import (
    ConfigError,
    EngineError,
    LostProcessError,
    ResumeError,
    StoreFullError,
)
from rlcs.learner.actors import Learner, rank_settings
from rlcs.learner.losses import Correction, PolicyObjective
from rlcs.model.loading import folder_bytes
from rlcs.model.lora import check_adapter_package
from rlcs.model.weights import Publication
from rlcs.rollout.actors import check_engine_package
from rlcs.rollout.mending import ROOM_SECONDS
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.settings import engine_settings
from rlcs.scoring import Scorer
from rlcs.types import Problem, Prompt

PUBLISH_ATTEMPTS = 3
"""Of one version, where the nodes have no room for its weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What a run works on: problems, their prompts, and who judges the answers."""

    problems: dict[str, Problem]
    """Training problems by id."""
    heldout: list[Problem]
    prompts: dict[str, Prompt]
    """Prompts of all problems by id."""
    renderer: Renderer
    scorer: Scorer
    notes: list[str]
    """What was left out of the data and why."""


def load_material(config: RunConfig) -> Material:
    """Load and check the data; nothing is started but the verifier processes.

    Raises:
        DatasetError, ModelError, ConfigError: everything that is wrong, at once.
    """
    check_engine_package(config.rollout.engine)
    check_adapter_package(config.learner.lora)
    renderer = Renderer.load(config.model.path, config.rollout.max_prompt_tokens)
    scorer = Scorer(config.scoring)
    try:
        loaded = load_data(config.data, extra_domains=config.scoring.domains)
        everything = [*loaded.train, *loaded.heldout]
        unchecked = check_references(everything, scorer.pool, passed=scorer.passed)
        check_group_count(config, loaded)
        check_image_mix(config.learner, loaded.train)
        return Material(
            problems={problem.problem_id: problem for problem in loaded.train},
            heldout=loaded.heldout,
            prompts=renderer.render_all(everything),
            renderer=renderer,
            scorer=scorer,
            notes=[*loaded.notes, *unchecked],
        )
    except BaseException:
        scorer.close()
        raise


def check_group_count(config: RunConfig, loaded: LoadedData) -> None:
    """A step cannot train on more groups than there are problems."""
    if len(loaded.train) < config.run.groups_per_step:
        raise ConfigError(
            f"run.groups_per_step = {config.run.groups_per_step} groups of different problems, "
            f"but there are {len(loaded.train)} problems to train on. Lower it, or add data."
        )


def check_image_mix(ranks: RanksSection, problems: Sequence[Problem]) -> None:
    """Ranks that hold parts of the weights must all look at pictures, or none of them."""
    num_seen = sum(bool(problem.images) for problem in problems)
    if ranks.zero_stage == 3 and ranks.num_ranks > 1 and 0 < num_seen < len(problems):
        raise ConfigError(
            f"zero_stage = 3 needs pictures in all problems or in none: {num_seen} of "
            f"{len(problems)} have one, and a rank with none would leave the others waiting for "
            "its part of the vision tower. Use zero_stage = 2, or take one kind out."
        )


def make_run_curriculum(
    config: RunConfig,
    problems: dict[str, Problem],
    state: dict[str, Any],
    *,
    reconcile: bool = False,
) -> Curriculum:
    """The curriculum of the configuration over the training problems, going on from ``state``.

    With ``reconcile`` that may be the state of other problems, of which those still here count.

    Raises:
        ConfigError: its settings do not fit the problems.
        ResumeError: ``state`` is of other problems.
    """
    try:
        curriculum = _new_curriculum(config, problems)
    except CurriculumError as error:
        raise ConfigError(f"curriculum: {error}.") from error
    try:
        if state:
            curriculum.load_state_dict(state, reconcile=reconcile)
    except CurriculumError as error:
        raise ResumeError(
            f"the problems are not those this run was started with: {error}. "
            "Put the data back as it was, go on with what is known of those still here by "
            "--reconcile, or start a new run."
        ) from error
    return curriculum


def _new_curriculum(config: RunConfig, problems: dict[str, Problem]) -> Curriculum:
    return curricula.make_curriculum(
        config.curriculum.kind,
        [problem.for_curriculum() for problem in problems.values()],
        group_size=config.rollout.group_size,
        seed=config.run.seed,
        **config.curriculum.settings,
    )


def policy_objective(config: RunConfig) -> PolicyObjective:
    """What the learner minimises."""
    settings = config.learner
    correction = settings.correction
    return PolicyObjective(
        clip_low=settings.clip_low,
        clip_high=settings.clip_high,
        temperature=config.rollout.temperature,
        correction=Correction(**correction.model_dump()) if correction else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Processes:
    """The engines and ranks of a run."""

    rollouts: RolloutPool
    learner: Learner
    probe: Prompt
    """What engines are asked to check that they got the learner's weights."""
    vllm: VllmSection
    share_gpus: bool = False
    """Whether an engine and a rank have the same GPU, and use it in turn."""

    def make_room(self) -> None:
        """Leave the GPUs to the learner, where it shares them."""
        if self.share_gpus:
            self.rollouts.sleep()

    def publish(self, version: int) -> None:
        """Bring the learner's weights to every engine as ``version``.

        Raises:
            StoreFullError: even without the weights of the version before there is no room.
        """
        if self.share_gpus:
            self.learner.free_gpu()
        for attempts_left in reversed(range(PUBLISH_ATTEMPTS)):
            try:
                if self.vllm.transfer == "host":
                    self.rollouts.publish(version, self.learner.publication(self.probe))
                else:
                    self.rollouts.publish_by(version, functools.partial(self._send, version))
                return
            except StoreFullError as error:
                if not attempts_left:
                    raise
                self.rollouts.forget_weights()
                fault = Fault(
                    what=f"version {version} was not published:",
                    detail=str(error),
                    remedy="It is tried again.",
                )
                self.rollouts.on_fault(fault)
                time.sleep(ROOM_SECONDS)

    def _send(self, version: int, actors: Sequence[Any]) -> Publication:
        """From GPU to GPU to ``actors``; by the host too where that does not reach all engines."""
        reached: Sequence[Any] = ()
        try:
            if actors:
                self.learner.send(
                    version,
                    self.vllm.transfer,
                    actors,
                    gpus_each=self.vllm.tensor_parallel_size,
                )
                reached = actors
        except LostProcessError:
            raise
        except EngineError as error:
            fault = Fault(
                what=f"version {version} did not go from GPU to GPU:",
                detail=str(error),
                remedy="It goes by the host's memory.",
            )
            self.rollouts.on_fault(fault)
        everyone = len(reached) == len(self.rollouts.slots)
        return self.learner.publication(self.probe, with_weights=not everyone)


def needs_of(config: RunConfig) -> Needs:
    """The processes of a run."""
    return Needs(
        num_engines=config.rollout.num_actors,
        num_ranks=config.learner.num_ranks,
        engine_width=config.rollout.engine_width,
        weight_bytes=folder_bytes(config.model.path),
    )


def start_processes(config: RunConfig, renderer: Renderer, *, on_fault: FaultListener) -> Processes:
    """Start engines and ranks beside each other and wait for both."""
    plan = start_cluster(config.hardware, needs_of(config))
    try:
        check_placement(config, plan.placement)
        share_gpus = plan.placement.kind == "colocated"
        settings = rank_settings(
            model_path=config.model.location,
            dtype=config.model.dtype,
            seed=config.run.seed,
            optimiser=config.learner,
            ranks=config.learner,
            plan=plan,
            bucket_bytes=int(config.learner.publish_bucket_mib * 2**20),
            lora=config.learner.lora,
        )
        learner = Learner(settings, plan=plan, faults=config.faults)
        if share_gpus:  # vLLM measures what is free, and nobody else may take or give meanwhile
            learner.wait_until_ready()
            learner.free_gpu()
        rollouts = RolloutPool(
            engine_settings(
                model=config.model,
                rollout=config.rollout,
                lora=config.learner.lora,
                renderer=renderer,
                plan=plan,
            ),
            num_actors=config.rollout.num_actors,
            plan=plan,
            faults=config.faults,
            on_fault=on_fault,
            segmenter=_segmenter(config, renderer),
        )
        if not share_gpus:
            learner.wait_until_ready()
        rollouts.wait_until_ready()
    except BaseException:
        stop_cluster()
        raise
    return Processes(
        rollouts=rollouts,
        learner=learner,
        probe=renderer.probe(),
        vllm=config.rollout.vllm,
        share_gpus=share_gpus,
    )


def _segmenter(config: RunConfig, renderer: Renderer) -> Segmenter | None:
    if config.schedule.kind != "overlapped" or config.schedule.segment_tokens is None:
        return None

    def decode(token_ids: np.ndarray) -> str:
        text: str = renderer.tokenizer.decode(token_ids, skip_special_tokens=False)
        return text

    return Segmenter(num_tokens=config.schedule.segment_tokens, decode=decode)
