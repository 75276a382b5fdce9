"""What the placement of a run's processes rules out."""

from __future__ import annotations

import pytest
from workshop import Workshop

from rlcs.cluster.placement import Needs, Node, place
from rlcs.cluster.placement_rules import check_placement
from rlcs.config import RunConfig, load_config
from rlcs.errors import ConfigError

NCCL, CUDA_IPC = "rollout.vllm.transfer=nccl", "rollout.vllm.transfer=cuda_ipc"
OVERLAPPED = "schedule.kind=overlapped"
FEW_TOKENS = "rollout.batch_tokens=10"


@pytest.mark.parametrize(
    ("engines", "ranks", "gpus", "override", "refused"),
    [
        pytest.param(2, 2, 4, NCCL, None, id="NCCL between GPUs"),
        pytest.param(2, 2, 2, NCCL, "placed as colocated", id="NCCL within a GPU"),
        pytest.param(1, 1, 0, NCCL, r"placed as cpu\..*transfer=host", id="NCCL without a GPU"),
        pytest.param(2, 2, 2, CUDA_IPC, None, id="CUDA IPC within each GPU"),
        pytest.param(2, 3, 3, CUDA_IPC, None, id="a rank without an engine gets nothing"),
        pytest.param(3, 2, 3, CUDA_IPC, "1 engines have none", id="an engine without a rank"),
        pytest.param(2, 2, 4, CUDA_IPC, "2 engines have none", id="CUDA IPC between GPUs"),
        pytest.param(2, 2, 4, OVERLAPPED, None, id="each has its own"),
        pytest.param(2, 2, 3, OVERLAPPED, "too few GPUs", id="they would share GPUs"),
        pytest.param(1, 1, 2, FEW_TOKENS, None, id="vLLM on a GPU does not read batch_tokens"),
        pytest.param(1, 1, 0, FEW_TOKENS, "Raise rollout.batch_tokens", id="on a CPU it does"),
        pytest.param(2, 2, 0, OVERLAPPED, None, id="on CPUs nobody takes turns"),
    ],
)
def test_what_a_placement_rules_out(
    workshop: Workshop, engines: int, ranks: int, gpus: int, override: str, refused: str | None
) -> None:
    asked = ["hardware.device=auto", "rollout.engine=vllm", override]
    config = load_config(workshop.config, asked, kind=RunConfig)
    needs = Needs(num_engines=engines, num_ranks=ranks)
    placement = place(needs, [Node(name="n", cpus=8, gpus=gpus)], use_gpus=gpus > 0)
    if refused is None:
        check_placement(config, placement)
        return
    with pytest.raises(ConfigError, match=refused):
        check_placement(config, placement)
