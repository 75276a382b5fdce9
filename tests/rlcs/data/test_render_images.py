"""Prompts with pictures are those that the model's own processor makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoProcessor

from rlcs.data import Renderer
from rlcs.data.response_format import build_response
from rlcs.errors import DatasetError
from rlcs.model.loading import decode_image
from rlcs.types import Image, Problem

MakeProblem = Callable[..., Problem]

SIZES = [(112, 112), (56, 200), (300, 40), (20, 20), (600, 500)]


@pytest.fixture
def renderer(tiny_glm: str) -> Renderer:
    return Renderer.load(tiny_glm, max_prompt_tokens=500)


@pytest.mark.parametrize("size", SIZES)
def test_as_many_tokens_as_the_processor_writes(
    make_problem: MakeProblem,
    size: tuple[int, int],
    renderer: Renderer,
    tiny_glm: str,
    make_image: Callable[..., Image],
) -> None:
    first, second = make_image(1, *size), make_image(2, 112, 150)
    prompt = renderer.render(make_problem("Here <image> and <image>?", first, second))
    processor: Any = AutoProcessor.from_pretrained(tiny_glm)
    parts = [
        {"type": "text", "text": "Here "},
        {"type": "image"},
        {"type": "text", "text": " and "},
        {"type": "image"},
        {"type": "text", "text": "?"},
    ]
    text = processor.apply_chat_template(
        [{"role": "user", "content": parts}], add_generation_prompt=True, tokenize=False
    )
    images = [decode_image(image) for image in (first, second)]
    expected = processor(text=text, images=images, return_tensors="np")["input_ids"][0]
    assert prompt.token_ids.tolist() == expected.tolist()
    assert prompt.images == (first, second)


def test_pictures_without_a_place_come_before_the_text(
    make_problem: MakeProblem, renderer: Renderer, make_image: Callable[..., Image]
) -> None:
    image = make_image(1)
    placed = renderer.render(make_problem("<image>How many?", image))
    assert renderer.render(make_problem("How many?", image)).token_ids.tolist() == (
        placed.token_ids.tolist()
    )


def test_a_word_in_a_text_without_pictures_stays_a_word(
    make_problem: MakeProblem, renderer: Renderer
) -> None:
    prompt = renderer.render(make_problem("What does <image> mean?"))
    assert "What does <image> mean?" in renderer.tokenizer.decode(prompt.token_ids)


def test_a_demonstration_follows_the_pictures(
    make_problem: MakeProblem, renderer: Renderer, make_image: Callable[..., Image]
) -> None:
    shown = make_problem("How many?", make_image(1), demonstration=build_response("Two.", "2"))
    ((prompt_ids, response_ids),) = renderer.encode_demonstrations([shown])
    assert prompt_ids.tolist() == renderer.render(shown).token_ids.tolist()
    assert renderer.tokenizer.decode(response_ids[:-1]) == shown.demonstration


def test_a_completion_that_draws_a_picture_ends(renderer: Renderer) -> None:
    ids = renderer.tokenizer.convert_tokens_to_ids(["<|end|>", "<|image|>", "<|video|>"])
    assert list(renderer.eos_token_ids) == ids


def test_the_models_own_token_in_the_text_is_refused(
    make_problem: MakeProblem, renderer: Renderer, make_image: Callable[..., Image]
) -> None:
    with pytest.raises(DatasetError, match="p1: expected the chat template to write one token"):
        renderer.render(make_problem("How many <|image|>?", make_image(1)))


def test_a_model_that_does_not_see_is_refused_pictures(
    make_problem: MakeProblem, tiny_model: str, make_image: Callable[..., Image]
) -> None:
    blind = Renderer.load(tiny_model, max_prompt_tokens=500)
    with pytest.raises(DatasetError, match="p1: has pictures, but the model has no vision tower"):
        blind.render(make_problem("How many?", make_image(1)))


def test_the_probe_shows_a_picture_where_the_model_sees(
    renderer: Renderer, tiny_glm: str, tiny_model: str
) -> None:
    probe = renderer.probe()
    assert len(probe.images) == 1
    image_token = renderer.tokenizer.convert_tokens_to_ids("<|image|>")
    assert (probe.token_ids == image_token).sum() == 9
    short = Renderer.load(tiny_glm, max_prompt_tokens=10).probe()
    assert (len(short.token_ids), short.images) == (10, ()), "no room for any picture"
    assert Renderer.load(tiny_model, max_prompt_tokens=500).probe().images == ()
    assert np.isin(image_token, short.token_ids) == np.False_


def test_what_is_saved_renders_the_same(
    make_problem: MakeProblem,
    renderer: Renderer,
    tmp_path: Path,
    tiny_glm: str,
    make_image: Callable[..., Image],
) -> None:
    shutil.copy(Path(tiny_glm) / "config.json", tmp_path)
    renderer.save(tmp_path)
    again = Renderer.load(str(tmp_path), max_prompt_tokens=500)
    shown = make_problem("How many?", make_image(1))
    assert again.render(shown).token_ids.tolist() == renderer.render(shown).token_ids.tolist()
