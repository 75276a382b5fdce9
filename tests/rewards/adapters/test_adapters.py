"""Other trainers' calling conventions."""

from __future__ import annotations

import json
import threading
import urllib.request

from rewards import VerifierPool
from rewards.adapters.openrlhf import RewardServer
from rewards.adapters.trl import TrlReward
from rewards.adapters.verl import compute_score

RIGHT, WRONG = "<think>2+2</think>\\boxed{4}", "\\boxed{5}"


def test_trl_convention() -> None:
    reward = TrlReward("math")
    chat = [{"role": "assistant", "content": RIGHT}]
    found = reward(
        prompts=["p"] * 4,
        completions=[RIGHT, WRONG, chat, RIGHT],
        reference=["4", "4", "4", "\\frac{1}{"],
        trainer_state=None,
    )
    assert found == [1.0, 0.0, 1.0, None]
    assert reward.__name__ == "math_reward"


def test_verl_convention() -> None:
    found = compute_score("math", RIGHT, "4", {"split": "train"})
    assert (found["score"], found["acc"], found["failed"]) == (1.0, 1.0, 0)
    assert compute_score("gsm8k", WRONG, "4", None)["score"] == 0.0
    assert compute_score("math", RIGHT, "\\frac{1}{")["failed"] == 1


def test_openrlhf_convention_over_http() -> None:
    with VerifierPool() as pool:
        server = RewardServer(("127.0.0.1", 0), pool, "math")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        label = json.dumps({"domain": "counting", "reference": 4})
        prompt = "Box it: \\boxed{}. 2+2?"  # its own box must not count as the answer's
        queries = ["<s>" + prompt + RIGHT + "</s>", prompt + WRONG, prompt + RIGHT]
        body = {"query": queries, "prompts": [prompt] * 3}
        payload = json.dumps(body | {"labels": ["4", "4", label]}).encode()
        url = f"http://127.0.0.1:{server.server_port}/get_reward"
        with urllib.request.urlopen(urllib.request.Request(url, payload)) as reply:
            found = json.loads(reply.read())
        server.shutdown()
    assert found["rewards"] == found["scores"] == [1.0, 0.0, 1.0]
