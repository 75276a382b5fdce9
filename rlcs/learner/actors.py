"""The learner as the trainer sees it: DeepSpeed ranks in Ray actors, driven as one."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import ray

from rlcs.activity import doing
from rlcs.cluster.fetch import fetch, fetch_all, fetch_start, naming_full_store
from rlcs.cluster.ray_cluster import ProcessPlan
from rlcs.cluster.stacks import ProcessLocation, announce, stack_of
from rlcs.config import FaultsSection
from rlcs.errors import LearningError, LostProcessError
from rlcs.learner.losses import Objective, PolicyObjective
from rlcs.learner.packing import MicroBatch, WorkModel, pack
from rlcs.learner.rank_settings import RankInfo, RankSettings, Receivers, ranks_per_node
from rlcs.model.weights import Probe, Publication, Weights
from rlcs.types import Prompt, StepReport, TrainingSample

MOST_PARTS = 10
"""In which the micro-batches of an update are handed to a rank; a call each."""


class RankActor:
    """One :class:`~rlcs.learner.rank.LearnerRank` in a process of its own.

    A method without a docstring calls the method of the rank that has its name.
    """

    def announce(self) -> ProcessLocation:
        """Where this process lives; from now on it tells its stack when asked."""
        return announce()

    def address(self) -> tuple[str, int]:
        """The address of this node and a free port on it, where the ranks can meet."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return ray.util.get_node_ip_address(), int(probe.getsockname()[1])

    def start(self, settings: RankSettings, rank_info: RankInfo) -> tuple[int, WorkModel]:
        """Load the model and meet the other ranks; returns the number of weight buckets, and what
        micro-batches cost."""
        from rlcs.learner.rank import LearnerRank

        self.rank = LearnerRank(settings, rank_info)
        return self.rank.num_buckets, self.rank.work_model

    def begin(
        self, micro_batches: Sequence[MicroBatch], objective: Objective, learning_rate: float
    ) -> None:
        """Begin an update with its first micro-batches."""
        self.rank.begin(objective, learning_rate)
        self.rank.add(micro_batches)

    def add(self, micro_batches: Sequence[MicroBatch]) -> None:
        self.rank.add(micro_batches)

    def finish(self) -> StepReport:
        return self.rank.finish()

    def bucket(self, index: int) -> Weights:
        return self.rank.bucket(index)

    def probe(self, prompt: Prompt) -> Probe:
        return self.rank.probe(prompt)

    def logprobs(
        self, micro_batches: Sequence[MicroBatch], objective: PolicyObjective
    ) -> list[np.ndarray]:
        return self.rank.logprobs(micro_batches, objective)

    def send(self, version: int, transfer: str, receivers: Receivers) -> None:
        self.rank.send(version, transfer, receivers)

    def free_gpu(self) -> None:
        self.rank.free_gpu()

    def save(self, folder: str) -> None:
        self.rank.save(folder)

    def load(self, folder: str) -> None:
        self.rank.load(folder)

    def export(self, folder: str) -> None:
        self.rank.export(folder)


class Learner:
    """All ranks of a run, driven as one; every method acts on all of them and waits."""

    def __init__(
        self,
        settings: RankSettings,
        *,
        plan: ProcessPlan,
        faults: FaultsSection | None = None,
    ) -> None:
        """Start the actors at once; :meth:`wait_until_ready` waits for them.

        Ranks that take longer for one call than ``faults`` allows count as lost.
        """
        self.faults = faults or FaultsSection()
        self.ranks = settings.ranks
        self.settings = settings
        self._num_buckets = 0
        self._num_skipped = 0
        """Updates that were skipped since the last one that was made."""
        self._work = WorkModel()
        self.actors: list[Any] = [
            ray.remote(RankActor).options(**plan.rank_options(rank)).remote()
            for rank in range(self.ranks.num_ranks)
        ]
        self._locations = [actor.announce.remote() for actor in self.actors]

    def wait_until_ready(self) -> None:
        """Return when all ranks have met and loaded the model.

        Raises:
            EngineError: they did not within ``faults.start_seconds``.
            LostProcessError: a rank died.
        """
        number = len(self.actors)
        with doing(f"{number} learner rank{'s' * (number > 1)} loading the model"):
            self._start_ranks()

    def _start_ranks(self) -> None:
        allowed = self.faults.start_seconds
        address, port = fetch_start(
            self.actors[0].address.remote(), waiting_for="learner rank 0", timeout=allowed
        )
        locations = fetch_start(
            self._locations, waiting_for="the learner ranks to start", timeout=allowed
        )
        per_node = ranks_per_node([location.node_id for location in locations])
        (self._num_buckets, self._work), *_ = fetch_start(
            [
                actor.start.remote(
                    self.settings,
                    RankInfo(
                        rank=rank,
                        num_ranks=len(self.actors),
                        master_address=address,
                        master_port=port,
                        ranks_per_node=per_node,
                    ),
                )
                for rank, actor in enumerate(self.actors)
            ],
            waiting_for="the learner ranks to start",
            timeout=allowed,
        )

    def learn(
        self,
        samples: Sequence[TrainingSample],
        objective: Objective,
        *,
        loss: str,
        learning_rate: float,
        token_budget: int = 1,
    ) -> StepReport:
        """Make one optimiser step on ``samples``; ``loss`` and ``token_budget`` as in
        :func:`~rlcs.learner.packing.pack`.

        Raises:
            LearningError: the gradient was not finite in ``faults.max_skipped_updates`` updates in
                a row, or samples with something to learn left no gradient.
        """
        shares = pack(
            samples,
            loss=loss,
            token_budget=token_budget,
            num_ranks=len(self.actors),
            micro_batch_tokens=self.ranks.micro_batch_tokens,
            work=self._work,
        )
        reports = self._update(shares, objective, learning_rate)
        report = dataclasses.replace(reports[0], num_samples=len(samples))
        self._count_skipped(report)
        if report.grad_norm == 0 and not _all_masked(report, objective):
            raise LearningError(
                f"the gradient of {len(samples)} samples from valid groups is exactly zero: "
                "nothing was learned and nothing will be. (An on-policy loss of zero is normal, a "
                "zero gradient is not.) Look for frozen parameters, a learning signal that is "
                "constant, or a model in a type too coarse for its gradients."
            )
        return report

    def _update(
        self, shares: Sequence[Sequence[MicroBatch]], objective: Objective, learning_rate: float
    ) -> list[StepReport]:
        """Have all ranks make an update: handed out whole, but in parts, to see how far it is."""
        number, waiting_for = len(shares[0]), "the learner ranks to learn"
        ends = part_ends(number)
        parts = [[share[first:end] for share in shares] for first, end in pairwise([0, *ends])]
        added = [self._hand_out(parts[0], "begin", objective, learning_rate)]
        added += [self._hand_out(part, "add") for part in parts[1:]]
        finished = [actor.finish.remote() for actor in self.actors]
        with doing(f"micro-batch 1 of {number}") as tell:
            for end, pending in zip(ends, added, strict=True):
                self._all(pending, waiting_for, last=finished)
                tell(f"micro-batch {min(end + 1, number)} of {number}")
            return self._all(finished, waiting_for)

    def _count_skipped(self, report: StepReport) -> None:
        self._num_skipped = self._num_skipped + 1 if report.skipped else 0
        if self._num_skipped >= self.faults.max_skipped_updates:
            raise LearningError(
                f"the gradient of {self._num_skipped} updates in a row was not finite (of the last "
                f"the loss was {report.loss:.3g}, the gradient's norm {report.grad_norm:.3g}); the "
                "weights were left as they were. Look at the gradient norms of the steps before in "
                "log/steps.jsonl; a lower learner.learning_rate, a longer warm-up or float32 "
                "usually help. faults.max_skipped_updates says how many are skipped."
            )

    def publication(self, probe: Prompt, *, with_weights: bool = True) -> Publication:
        """Send the weights of this version on their way, in buckets; returns at once.

        By the learner's log-probabilities of ``probe`` engines check what they got. Without
        ``with_weights`` they are all that is published. Only under ZeRO-3 do ranks other than the
        first have to take part.
        """
        senders = self.actors if self.settings.ranks.zero_stage == 3 else self.actors[:1]

        def submit(method: str, argument: Any) -> Any:
            references = [getattr(actor, method).remote(argument) for actor in senders]
            return references[0]

        return Publication(
            buckets=tuple(submit("bucket", index) for index in range(self._num_buckets))
            if with_weights
            else (),
            probe=submit("probe", probe),
        )

    def with_proximal(
        self, samples: Sequence[TrainingSample], objective: PolicyObjective
    ) -> list[TrainingSample]:
        """``samples`` with the learner's present log-probabilities of their completions."""
        shares = pack(
            samples,
            loss="per_sample",
            num_ranks=len(self.actors),
            micro_batch_tokens=self.ranks.micro_batch_tokens,
            work=self._work,
        )
        pending = self._hand_out(shares, "logprobs", objective)
        answers = self._all(pending, "the learner ranks to compute log-probabilities")
        found: dict[int, np.ndarray] = {}
        for share, answer in zip(shares, answers, strict=True):
            for micro_batch, logprobs in zip(share, answer, strict=True):
                for row, index in enumerate(micro_batch.sample_indices):
                    found[index] = logprobs[micro_batch.row_of_token == row]
        return [
            dataclasses.replace(sample, proximal_logprobs=_spread(found[index], sample.loss_mask))
            for index, sample in enumerate(samples)
        ]

    def send(self, version: int, transfer: str, engines: Sequence[Any], *, gpus_each: int) -> None:
        """Bring the weights to vLLM ``engines`` (actors) from GPU to GPU.

        They serve the version once they also got its :meth:`publication`, of which they then
        need the probe alone.

        Raises:
            LostProcessError: it is not done after ``faults.transfer_seconds``, or a rank died.
            EngineError: an engine died or refused.
        """
        allowed = self.faults.transfer_seconds
        address, port = fetch(
            self.actors[0].address.remote(), waiting_for="learner rank 0", timeout=allowed
        )
        receivers = Receivers(
            actors=tuple(engines), gpus_each=gpus_each, address=address, port=port
        )
        self._all(
            [actor.send.remote(version, transfer, receivers) for actor in self.actors],
            f"the weights to go from GPU to GPU ({transfer})",
            allowed,
        )

    def free_gpu(self) -> None:
        """Leave GPUs to the engines on them until the next update."""
        self._all([actor.free_gpu.remote() for actor in self.actors], "a rank to free memory")

    def save(self, folder: str) -> None:
        """Write the state of all ranks into ``folder``, for an exact resume."""
        self._all([actor.save.remote(folder) for actor in self.actors], "a rank to save")

    def load(self, folder: str) -> None:
        """Load the state that :meth:`save` wrote into ``folder``, and continue from it."""
        self._all([actor.load.remote(folder) for actor in self.actors], "a rank to load")

    def export(self, folder: str) -> None:
        """Write the model into ``folder`` as a Hugging Face model folder."""
        self._all([actor.export.remote(folder) for actor in self.actors], "a rank to export")

    def _hand_out(
        self, shares: Sequence[Sequence[MicroBatch]], method: str, *arguments: Any
    ) -> list[Any]:
        """Call ``method`` of each rank with its share; returns references to the answers."""
        with naming_full_store("handing out samples"):
            return [
                getattr(actor, method).remote(share, *arguments)
                for actor, share in zip(self.actors, shares, strict=True)
            ]

    def _all(
        self,
        references: Sequence[Any],
        waiting_for: str,
        allowed_seconds: float | None = None,
        *,
        last: Sequence[Any] | None = None,
    ) -> list[Any]:
        """What all ranks answer; ``last`` are their last calls, if these are not."""
        timeout = allowed_seconds or self.faults.learn_seconds
        try:
            return fetch_all(references, waiting_for=waiting_for, timeout=timeout)
        except LostProcessError as error:
            if not isinstance(error.__cause__, ray.exceptions.GetTimeoutError):
                raise
            raise LostProcessError(
                " ".join([str(error), *self._silent(last or references)])
            ) from error

    def _silent(self, references: Sequence[Any]) -> Iterator[str]:
        """Which ranks have not answered, and what they are doing."""
        _, silent = ray.wait(list(references), num_returns=len(references), timeout=0)
        for rank, reference in enumerate(references):
            if reference in silent:
                location = fetch(self._locations[rank], waiting_for=f"learner rank {rank}")
                where = f"learner rank {rank} (pid {location.pid} on {location.host})"
                yield f"{where} has not answered. Its stack:\n{stack_of(location)}"


def part_ends(number: int) -> list[int]:
    """Where the parts of so many micro-batches end: at most :data:`MOST_PARTS`, about equal."""
    parts = min(number, MOST_PARTS)
    return [round(number * (part + 1) / parts) for part in range(parts)]


def _spread(of_loss_tokens: np.ndarray, loss_mask: np.ndarray) -> np.ndarray:
    """[T] from the entries of tokens with a loss; 0 elsewhere."""
    spread = np.zeros(len(loss_mask), dtype=np.float32)
    spread[loss_mask] = of_loss_tokens
    return spread


def _all_masked(report: StepReport, objective: Objective) -> bool:
    """Whether the correction masked every token: too far off-policy to learn from, but no fault."""
    correction = objective.correction if isinstance(objective, PolicyObjective) else None
    masks = correction is not None and correction.mode == "mask"
    return masks and report.corrected_fraction == 1
