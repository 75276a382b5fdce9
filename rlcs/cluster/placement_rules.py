"""What a run cannot do on its placement, which is known only when the GPUs of the cluster are."""

from __future__ import annotations

from collections.abc import Iterator

from rlcs.cluster.placement import Placement
from rlcs.config import RunConfig
from rlcs.errors import ConfigError


def check_placement(config: RunConfig, placement: Placement) -> None:
    """Check that the run of ``config`` can work where ``placement`` puts its processes.

    Raises:
        ConfigError: it cannot; the message names everything that stands in the way.
    """
    if problems := list(_problems(config, placement)):
        raise ConfigError(" ".join(problems))


def _problems(config: RunConfig, placement: Placement) -> Iterator[str]:
    if config.schedule.kind == "overlapped" and placement.kind == "colocated":
        yield (
            "schedule.kind = overlapped needs engines that work while the learner does, but there "
            "are too few GPUs: engines and ranks would use them alternately. Use fewer of either, "
            "or schedule.kind=synchronous."
        )
    if placement.kind == "cpu":  # hardware.device = auto has become one
        yield from config.rollout.check_batch_tokens("cpu")
        yield from config.rollout.check_extra("cpu")
    transfer = config.rollout.vllm.transfer
    if transfer == "nccl" and placement.kind != "separate":
        yield (
            "rollout.vllm.transfer = nccl needs engines and ranks on GPUs of their own, but they "
            f"are placed as {placement.kind}. Use hardware.placement=separate, or "
            f"rollout.vllm.transfer={'host' if placement.kind == 'cpu' else 'cuda_ipc'}."
        )
    alone = sum(bundle.rank is None for bundle in placement.bundles)
    if transfer == "cuda_ipc" and (placement.kind != "colocated" or alone):
        yield (
            "rollout.vllm.transfer = cuda_ipc needs a rank on the GPU of every engine; "
            f"{alone} engines have none ({placement.kind}). Use hardware.placement=colocated with "
            "at least as many ranks as engines, or rollout.vllm.transfer=host."
        )
