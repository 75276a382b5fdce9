"""The workers of a run, engines and ranks: how they start, and how weights pass between them."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcs.activity import doing
from rlcs.cluster.faults import Fault, FaultListener
from rlcs.cluster.placement import Needs
from rlcs.cluster.placement_rules import check_placement
from rlcs.cluster.ray_cluster import Patience, ProcessPlan, start_cluster, stop_cluster
from rlcs.config import RunConfig, VllmSection
from rlcs.data import Renderer
from rlcs.errors import (
    EngineError,
    LostProcessError,
    StoreFullError,
)
from rlcs.learner.actors import Learner
from rlcs.learner.losses import Correction, KlTerm, PolicyObjective
from rlcs.learner.rank_settings import RankSettings, rank_settings
from rlcs.model.loading import folder_bytes
from rlcs.model.weights import Publication
from rlcs.rollout.mending import ROOM_SECONDS
from rlcs.rollout.pool import RolloutPool
from rlcs.rollout.segments import Segmenter
from rlcs.rollout.settings import engine_settings
from rlcs.types import Prompt

PUBLISH_ATTEMPTS = 3
"""How often a version is published that the nodes have no room for."""


def policy_objective(config: RunConfig) -> PolicyObjective:
    """The objective that the learner minimises in the run of ``config``."""
    settings = config.learner
    correction, kl = settings.correction, settings.kl
    return PolicyObjective(
        clip_low=settings.clip_low,
        clip_high=settings.clip_high,
        temperature=config.rollout.temperature,
        ratio=settings.ratio,
        bound=settings.bound,
        dual_clip=settings.dual_clip,
        correction=Correction(**correction.model_dump()) if correction else None,
        kl=KlTerm(**kl.model_dump()) if kl else None,
        entropy_bonus=settings.entropy_bonus,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """The engines and ranks of a run."""

    rollouts: RolloutPool
    learner: Learner
    probe: Prompt
    """The text by which engines show that they got the learner's weights."""
    vllm: VllmSection
    share_gpus: bool = False
    """Whether an engine and a rank have the same GPU, which they use alternately."""
    placement_kind: str = "cpu"
    """``cpu``, ``separate`` or ``colocated``."""

    def make_room(self) -> None:
        """Have the engines leave the GPUs to the learner, if they share them."""
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
                with doing(f"publishing version {version}"):
                    self._bring(version)
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

    def _bring(self, version: int) -> None:
        if self.vllm.transfer == "host":
            self.rollouts.publish(version, self.learner.publication(self.probe))
        else:
            self.rollouts.publish_by(version, functools.partial(self._send, version))

    def _send(self, version: int, actors: Sequence[Any]) -> Publication:
        """Send from GPU to GPU to ``actors``; by the host too if these are not all engines."""
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
    """The processes that the run of ``config`` needs."""
    return Needs(
        num_engines=config.rollout.num_actors,
        num_ranks=config.learner.num_ranks,
        engine_width=config.rollout.engine_width,
        weight_bytes=folder_bytes(config.model.path),
    )


def start_workers(
    config: RunConfig,
    renderer: Renderer,
    *,
    shown: Mapping[str, int],
    on_fault: FaultListener,
    patience: Patience | None = None,
) -> Workers:
    """Start engines and ranks at the same time, and wait until all of them are ready.

    ``shown`` says how many pictures and videos a prompt of the run has at most. With ``patience``
    the cluster is given time to have room for the processes.

    Raises:
        ConfigError: the cluster has no room for them, or cannot do what the run is to do.
        EngineError: there is no cluster, or a process did not start.
    """
    plan = start_cluster(config.hardware, needs_of(config), patience)
    try:
        check_placement(config, plan.placement)
        share_gpus = plan.placement.kind == "colocated"
        learner = Learner(_rank_settings(config, plan), plan=plan, faults=config.faults)
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
                shown=shown,
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
    return Workers(
        rollouts=rollouts,
        learner=learner,
        # An engine that will see no picture has no vision tower to show one to.
        probe=renderer.probe(with_image=shown["image"] > 0),
        vllm=config.rollout.vllm,
        share_gpus=share_gpus,
        placement_kind=plan.placement.kind,
    )


def _rank_settings(config: RunConfig, plan: ProcessPlan) -> RankSettings:
    return rank_settings(
        model_path=config.model.location,
        dtype=config.model.dtype,
        trust_code=config.model.trust_code,
        image_tokens=config.model.image_tokens,
        seed=config.run.seed,
        optimiser=config.learner,
        ranks=config.learner,
        plan=plan,
        bucket_bytes=int(config.learner.publish_bucket_mib * 2**20),
        trained=config.learner,
        with_reference=config.learner.kl is not None,
    )


def _segmenter(config: RunConfig, renderer: Renderer) -> Segmenter | None:
    if config.schedule.kind != "overlapped" or config.schedule.segment_tokens is None:
        return None

    def decode(token_ids: np.ndarray) -> str:
        text: str = renderer.tokenizer.decode(token_ids, skip_special_tokens=False)
        return text

    return Segmenter(num_tokens=config.schedule.segment_tokens, decode=decode)
