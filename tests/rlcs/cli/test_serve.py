"""``rlcs serve`` answers as the model does, in its own chat template, and ends when told."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from workshop import Workshop

pytestmark = pytest.mark.long

NUM_TOKENS = 12
MESSAGES = [
    {"role": "system", "content": "You are a careful assistant."},
    {"role": "user", "content": "Calculate 12 + 30."},
]


def test_it_answers(workshop: Workshop) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = workshop.start("serve", workshop.model, "--port", port)
    command.wait_for(lambda: reachable(f"http://127.0.0.1:{port}/health"), seconds=600)
    answer = ask(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        {
            "model": "model",
            "messages": MESSAGES,
            "temperature": 0,
            "max_tokens": NUM_TOKENS,
            "skip_special_tokens": False,
        },
    )
    harness = as_a_harness_asks(f"http://127.0.0.1:{port}/v1")
    command.send(signal.SIGTERM)
    command.finish()

    said = answer["choices"][0]["message"]["content"]
    assert harness == {"models": ["model"], "parts": said, "streamed": said, "sampled": 2}
    tokenizer = AutoTokenizer.from_pretrained(workshop.model)
    model = AutoModelForCausalLM.from_pretrained(workshop.model, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(
        MESSAGES, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    expected = model.generate(**prompt, do_sample=False, max_new_tokens=NUM_TOKENS)[0]
    num_prompt = prompt["input_ids"].shape[1]
    assert answer["usage"]["prompt_tokens"] == num_prompt
    assert said == tokenizer.decode(expected[num_prompt:])


def as_a_harness_asks(address: str) -> dict[str, Any]:
    """The same question in the forms of lmms-eval and its kind, by the client that they use."""
    import openai

    client = openai.OpenAI(base_url=address, api_key="none")
    asked: dict[str, Any] = {
        "model": "model",
        "temperature": 0,
        "max_tokens": NUM_TOKENS,
        "extra_body": {"skip_special_tokens": False},
    }
    in_parts: Any = [
        {**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in MESSAGES
    ]
    create = client.chat.completions.create
    pieces = create(messages=MESSAGES, stream=True, **asked)
    return {
        "models": [each.id for each in client.models.list()],
        "parts": create(messages=in_parts, **asked).choices[0].message.content,
        "streamed": "".join(each.choices[0].delta.content or "" for each in pieces),
        "sampled": len(create(messages=MESSAGES, n=2, **{**asked, "temperature": 1}).choices),
    }


def reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def ask(url: str, question: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        url, json.dumps(question).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def test_without_a_model(workshop: Workshop) -> None:
    command = workshop.start("serve", workshop.folder / "nothing")
    assert command.finish() == 2
    assert "expected a model folder, a checkpoint or a run" in command.text()
