"""Other trainers' calling conventions, reward shaping and diagnostics."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest

from rewards import Outcome, SettingsError, Verdict, VerifierPool
from rewards.adapters.openrlhf import RewardServer
from rewards.adapters.trl import TrlReward
from rewards.adapters.verl import compute_score
from rewards.diagnostics import diagnose
from rewards.shaping import Shaping

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


def verdict(outcome: Outcome, score: float) -> Verdict:
    return Verdict(outcome=outcome, score=score, extracted=None, detail="", seconds=0.0)


def test_shaping_is_a_table_and_our_failures_have_no_reward() -> None:
    shaping = Shaping(truncated={Outcome.NO_ANSWER: -0.5}, weights={"repetition": 0.1})
    assert shaping.reward(verdict(Outcome.CORRECT, 1.0), "") == 1.0
    assert shaping.reward(verdict(Outcome.PARTIAL, 0.25), "") == 0.25
    assert shaping.reward(verdict(Outcome.NO_ANSWER, 0.0), "") == 0.0
    assert shaping.reward(verdict(Outcome.NO_ANSWER, 0.0), "", truncated=True) == -0.5
    assert shaping.reward(verdict(Outcome.TIMEOUT, 0.0), "") is None
    repeated = "one two three four five six seven eight nine ten " * 50
    reward = shaping.reward(verdict(Outcome.CORRECT, 1.0), repeated)
    assert reward == pytest.approx(0.9, abs=0.01)
    with pytest.raises(SettingsError, match="our own failures"):
        Shaping(truncated={Outcome.TIMEOUT: 0.0})
    with pytest.raises(SettingsError, match="known: "):
        Shaping(weights={"charm": 1.0})


def test_diagnostics() -> None:
    plain = diagnose("<think>Two and two make four.</think><answer>\\boxed{4}</answer>")
    assert set(plain.values()) == {0.0}
    mixed = diagnose("The answer 因为二加二等于四 therefore 所以答案是四 \\boxed{4}")
    assert mixed["language_mixing"] > 0.4
    assert diagnose("<think>a<answer>b</answer>")["unclosed_tags"] == 0.5
    assert diagnose("\\boxed{1} \\boxed{2}")["not_one_box"] == 1.0
