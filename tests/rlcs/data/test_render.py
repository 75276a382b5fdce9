"""Rendering: prompts and demonstrations as the model reads them, and model folders refused."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, CLIPImageProcessor, LlavaProcessor, PreTrainedTokenizerFast

from rlcs.data import Renderer
from rlcs.data.response_format import build_response
from rlcs.errors import DatasetError, ModelError
from rlcs.types import Problem

PROMPT = "<|im_start|>user\nWhat is 1 + 1?<|im_end|>\n<|im_start|>assistant\n"


def problem(*turns: tuple[str, str], demonstration: str | None = None) -> Problem:
    messages = turns or (("user", "What is 1 + 1?"),)
    return Problem(
        problem_id="p1",
        domain="math",
        category="sums",
        messages=tuple({"role": role, "content": content} for role, content in messages),
        reference="2",
        question=messages[-1][1],
        demonstration=demonstration,
    )


def change_tokenizer(folder: Path, **changes: Any) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    (folder / "chat_template.jinja").unlink()
    tokenizer.save_pretrained(folder)


def test_a_prompt_is_the_template_with_the_models_turn_opened(tokenizer_folder: Path) -> None:
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=100)
    prompt = renderer.render(problem())
    assert prompt.problem_id == "p1"
    assert prompt.token_ids.dtype.name == "int64"
    assert renderer.tokenizer.decode(prompt.token_ids) == PROMPT
    assert list(prompt.token_ids[:1]) == renderer.tokenizer.convert_tokens_to_ids(["<|im_start|>"])


def test_a_demonstration_ends_with_the_end_token(tokenizer_folder: Path) -> None:
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=100)
    response = build_response("1 + 1 is 2.", "2")
    ((prompt_ids, response_ids),) = renderer.encode_demonstrations(
        [problem(demonstration=response)]
    )
    assert renderer.tokenizer.decode(prompt_ids) == PROMPT
    assert renderer.tokenizer.decode(response_ids) == response + "<|im_end|>"
    assert prompt_ids.dtype == response_ids.dtype == "int64"
    with pytest.raises(DatasetError, match="p1: expected a response to imitate, found none"):
        renderer.encode_demonstrations([problem()])


def test_a_template_that_opens_the_thinking_is_not_opened_twice(tokenizer_folder: Path) -> None:
    template = (tokenizer_folder / "chat_template.jinja").read_text()
    opened = template.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n<think>\\n'")
    change_tokenizer(tokenizer_folder, chat_template=opened)
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=100)
    demonstrated = problem(demonstration=build_response("1 + 1 is 2.", "2"))
    ((prompt_ids, response_ids),) = renderer.encode_demonstrations([demonstrated])
    text = renderer.tokenizer.decode([*prompt_ids, *response_ids])
    assert text.count("<think>") == 1
    assert "<think>\n1 + 1 is 2.</think>" in text


def test_too_long_prompts_are_all_named(tokenizer_folder: Path) -> None:
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    fits = renderer.render_all([problem()])
    assert list(fits) == ["p1"]
    renderer.max_prompt_tokens = 3
    with pytest.raises(DatasetError) as caught:
        renderer.check_lengths([problem()])
    length = len(fits["p1"].token_ids)
    assert f"1 problem with prompts over max_prompt_tokens = 3:\n  p1: {length} tokens" in str(
        caught.value
    )
    assert f"Raise rollout.max_prompt_tokens to {length}" in str(caught.value)


def test_turns_that_the_template_refuses_are_named(tokenizer_folder: Path) -> None:
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    with pytest.raises(DatasetError, match=r"p1: .* found the roles tool, user: no such role"):
        renderer.render(problem(("tool", "x"), ("user", "y")))


def test_end_and_padding_tokens(tokenizer_folder: Path) -> None:
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    end, text_end = renderer.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert (renderer.eos_token_ids, renderer.pad_token_id) == ((end,), text_end)
    generation = {"eos_token_id": [text_end, end]}
    (tokenizer_folder / "generation_config.json").write_text(json.dumps(generation))
    change_tokenizer(tokenizer_folder, pad_token=None)
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    assert (renderer.eos_token_ids, renderer.pad_token_id) == ((end, text_end), end)


@pytest.mark.parametrize("can_be_built", [True, False])
def test_a_processor_is_used_where_it_can_be_built(
    tokenizer_folder: Path, can_be_built: bool
) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    # Like many published ones, this template reads typed parts and skips plain texts.
    template = "{% for part in messages[0].content if part.type == 'text' %}{{ part.text }}"
    processor = LlavaProcessor(
        CLIPImageProcessor(),
        tokenizer,
        patch_size=14,
        chat_template=template + "{% endfor %}{{ '<think>' }}",
    )
    processor.save_pretrained(tokenizer_folder)
    if not can_be_built:
        config_path = tokenizer_folder / "processor_config.json"
        config_path.write_text(json.dumps({"processor_class": "NoSuchProcessor"}))
        change_tokenizer(tokenizer_folder, chat_template=tokenizer.chat_template)
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    text = renderer.tokenizer.decode(renderer.render(problem()).token_ids)
    assert text == ("What is 1 + 1?<think>" if can_be_built else PROMPT)


def model_refusal(model_path: Path | str) -> str:
    with pytest.raises(ModelError) as caught:
        Renderer.load(str(model_path), max_prompt_tokens=60)
    return str(caught.value)


def test_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "no" / "such"
    assert f"{path}: expected a model folder, found nothing there" in model_refusal(path)
    (tmp_path / "file").write_text("")
    assert "expected a model folder, found a file" in model_refusal(tmp_path / "file")


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    # transformers would make up an empty tokenizer from the model type alone.
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    message = model_refusal(tmp_path)
    assert "expected a model folder with a tokenizer (tokenizer.json), found config.json" in message
    (tmp_path / "tokenizer.json").write_text("{")
    assert "expected a tokenizer, found one that does not load" in model_refusal(tmp_path)


def test_a_folder_without_a_chat_template(tokenizer_folder: Path) -> None:
    change_tokenizer(tokenizer_folder, chat_template=None)
    message = model_refusal(tokenizer_folder)
    assert "expected a chat template, found a tokenizer without one. Put the template" in message


def test_a_tokenizer_without_an_end_token(tokenizer_folder: Path) -> None:
    change_tokenizer(tokenizer_folder, eos_token=None)
    assert "expected an end token, found none" in model_refusal(tokenizer_folder)


def test_a_local_folder_never_asks_the_hub(
    tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("looked for a network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    prompt = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60).render(problem())
    assert len(prompt.token_ids) > 0


def test_a_hub_that_cannot_be_reached_fails_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    message = model_refusal("nobody/no-such-model-at-all")
    assert "no cached copy, and the hub says: [Errno -2] Name or service not known" in message


def test_texts_are_encoded_as_transformers_encodes_them(tokenizer_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    tokenizer.save_pretrained(tokenizer_folder)
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=60)
    (text,) = renderer._render_texts([problem()])
    plain = renderer.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert renderer.render(problem()).token_ids.tolist() == plain
    assert len(plain) > 3
