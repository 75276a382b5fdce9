"""verl's and OpenRLHF's own code calls our adapters.

Neither can be installed beside this project's engine, so these run where the packages are on
the path (``pip install --no-deps`` into a folder of their own is enough) and are skipped
elsewhere; the conventions they follow are pinned by ``test_adapters``.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

import rewards.adapters.verl
from rewards import VerifierPool
from rewards.adapters.openrlhf import RewardServer

RIGHT, WRONG = "<think>2+2</think>\\boxed{4}", "\\boxed{5}"

pytestmark = pytest.mark.long


def test_openrlhf_fetches_rewards_over_http() -> None:
    agent = pytest.importorskip("openrlhf.utils.agent")
    with VerifierPool() as pool:
        server = RewardServer(("127.0.0.1", 0), pool, "math")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        executor = agent.SingleTurnAgentExecutor(
            f"http://127.0.0.1:{server.server_port}/get_reward"
        )
        replies = [
            asyncio.run(executor._fetch_rewards_via_http([f"<s>Q{text}</s>"], ["Q"], ["4"]))
            for text in (RIGHT, WRONG)
        ]
        server.shutdown()
    assert [reply[0]["rewards"] for reply in replies] == [[1.0], [0.0]]
    assert replies[0][0]["extra_logs"] == {"judging_failed": [0.0]}


class Characters:
    """A tokenizer of one character a token, with what verl asks of one."""

    def decode(self, ids: Any, skip_special_tokens: bool = True) -> str:
        return "".join(chr(int(index)) for index in ids)


@pytest.mark.parametrize(("response", "score"), [(RIGHT, 1.0), (WRONG, 0.0)])
def test_verl_reward_manager_scores_a_response(response: str, score: float) -> None:
    naive = pytest.importorskip("verl.experimental.reward_loop.reward_manager.naive")
    reward = pytest.importorskip("verl.trainer.ppo.reward")
    protocol = pytest.importorskip("verl.protocol")
    omegaconf = pytest.importorskip("omegaconf")
    torch = pytest.importorskip("torch")
    path = Path(rewards.adapters.verl.__file__)
    function = {"path": str(path), "name": "compute_score"}
    config = omegaconf.OmegaConf.create({"reward": {"custom_reward_function": function}})
    ids = torch.tensor([[ord(character) for character in response]])
    data = protocol.DataProto.from_dict(
        tensors={
            "responses": ids,
            "prompts": ids[:, :1],
            "attention_mask": torch.ones(1, ids.shape[1] + 1, dtype=torch.long),
        },
        non_tensors={
            "data_source": _objects(["math"]),
            "reward_model": _objects([{"ground_truth": "4"}]),
            "extra_info": _objects([{"split": "train"}]),
        },
    )

    async def run() -> dict[str, Any]:
        compute_score = reward.get_custom_reward_fn(config)
        manager = naive.NaiveRewardManager(config, Characters(), compute_score)
        return dict(await manager.run_single(data))

    found = asyncio.run(run())
    assert found["reward_score"] == score
    assert found["reward_extra_info"]["failed"] == 0


def _objects(values: list[Any]) -> Any:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
