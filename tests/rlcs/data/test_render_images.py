"""Prompts with pictures are those that the model's own processor makes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from transformers import AutoProcessor, CLIPImageProcessor, Qwen2Config

from rlcs.config import ImageTokensSection
from rlcs.data import Renderer
from rlcs.data.images import encoded_image
from rlcs.data.model_files import context_tokens
from rlcs.data.response_format import build_response
from rlcs.errors import ConfigError, DatasetError
from rlcs.model.loading import decode_image, load_image_processor
from rlcs.model.vision import limit_image_tokens
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


@pytest.fixture(params=["tiny_glm", "tiny_qwen_vl"])
def seeing_model(request: pytest.FixtureRequest) -> str:
    """Both architectures of models that see."""
    return str(request.getfixturevalue(request.param))


BOUNDED = [
    pytest.param((3840, 2160), None, 55, 64, id="4K, by the folder"),
    pytest.param((3840, 2160), {"max": 1000}, 900, 1000, id="4K, many tokens"),
    pytest.param((3840, 2160), {"max": 9}, 6, 9, id="4K, few tokens"),
    pytest.param((56, 56), {"min": 30}, 30, 36, id="a small one made larger"),
    pytest.param((112, 112), {"min": 4, "max": 50}, 16, 16, id="one between both ends"),
    pytest.param((398, 2), {"max": 100}, 14, 150, id="199 : 1, which may become more"),
]


@pytest.mark.parametrize(("size", "bounds", "least", "most"), BOUNDED)
def test_a_bound_on_the_tokens_of_a_picture(
    size: tuple[int, int],
    bounds: dict[str, int] | None,
    least: int,
    most: int,
    seeing_model: str,
    make_problem: MakeProblem,
) -> None:
    wanted = None if bounds is None else ImageTokensSection(**bounds)
    renderer = Renderer.load(seeing_model, max_prompt_tokens=2000, image_tokens=wanted)
    encoded = io.BytesIO()
    PIL.Image.new("RGB", size).save(encoded, "PNG")
    image = encoded_image(encoded.getvalue())
    prompt = renderer.render(make_problem("How many?", image))
    number = int(np.isin(prompt.token_ids, renderer._pictures.token_ids).sum())
    assert least <= number <= most
    processor = load_image_processor(seeing_model, image_tokens=wanted)
    made = processor(images=[decode_image(image)], return_tensors="pt")["image_grid_thw"]
    assert made.prod() // 4 == number, "and so does the learner's"


def test_bounds_are_saved_with_the_model(
    seeing_model: str, tmp_path: Path, make_problem: MakeProblem, make_image: Callable[..., Image]
) -> None:
    """So that whoever serves it makes of a picture what it was trained on."""
    shutil.copy(Path(seeing_model) / "config.json", tmp_path)
    bounds = ImageTokensSection(max=5)
    renderer = Renderer.load(seeing_model, max_prompt_tokens=500, image_tokens=bounds)
    renderer.save(tmp_path)
    again = Renderer.load(str(tmp_path), max_prompt_tokens=500)
    shown = make_problem("How many?", make_image(1))
    assert again.render(shown).token_ids.tolist() == renderer.render(shown).token_ids.tolist()


def test_a_model_that_cannot_be_bound(tiny_model: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a model that takes pictures"):
        Renderer.load(tiny_model, 500, image_tokens=ImageTokensSection(max=5))
    with pytest.raises(ConfigError, match=r"found CLIPImageProcessor .* whose pictures have one"):
        limit_image_tokens(CLIPImageProcessor(), ImageTokensSection(max=5), "the folder")


def test_pictures_that_the_model_does_not_take_are_named_by_row(
    seeing_model: str, make_problem: MakeProblem, make_image: Callable[..., Image]
) -> None:
    renderer = Renderer.load(seeing_model, max_prompt_tokens=500)
    problems = [
        make_problem("?", make_image(n, *size), problem_id=f"p{n}", location=f"rows.jsonl:{n}")
        for n, size in enumerate([(199, 1), (201, 1), (20, 20), (1, 500)], start=1)
    ]
    with pytest.raises(DatasetError) as refused:
        renderer.render_all(problems)
    first, *rows = str(refused.value).splitlines()
    assert first == "2 problems with pictures:"
    assert "rows.jsonl:2 (p2): expected pictures that the model's processor takes" in rows[0]
    assert "of 201 x 1 pixels: absolute aspect ratio must be smaller than 200" in rows[0]
    assert "rows.jsonl:4 (p4)" in rows[1]


def test_too_many_tokens_of_pictures_are_named_by_row(
    seeing_model: str, make_problem: MakeProblem, make_image: Callable[..., Image]
) -> None:
    problem = make_problem("?", make_image(1), make_image(2), location="rows.jsonl:7")
    fits = len(Renderer.load(seeing_model, 500).render(problem).token_ids)
    with pytest.raises(DatasetError) as refused:
        Renderer.load(seeing_model, fits - 1).check_lengths([problem])
    assert f"rows.jsonl:7 (p1): {fits} tokens, 32 of them pictures" in str(refused.value)
    assert f"Raise rollout.max_prompt_tokens to {fits}" in str(refused.value)
    assert "(model.image_tokens.max)" in str(refused.value)


def test_more_than_the_model_can_read(
    tiny_glm: str, make_problem: MakeProblem, make_image: Callable[..., Image]
) -> None:
    renderer = Renderer.load(tiny_glm, 5000, image_tokens=ImageTokensSection(min=1020))
    problem = make_problem("What is shown here?", make_image(1), location="rows.jsonl:7")
    with pytest.raises(DatasetError, match="over the 1024 tokens that the model can read"):
        renderer.check_lengths([problem])


CONTEXTS = [
    pytest.param({"max_position_embeddings": 4096}, 4096, id="as it says"),
    pytest.param(
        {
            "max_position_embeddings": 8192,
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 1e4,
                "factor": 4.0,
                "original_max_position_embeddings": 4096,
            },
        },
        16384,
        id="YaRN reaches further",
    ),
]


@pytest.mark.parametrize(("options", "expected"), CONTEXTS)
def test_how_much_a_model_can_read(options: dict[str, Any], expected: int) -> None:
    assert context_tokens(Qwen2Config(**options)) == expected
    assert context_tokens(None) == float("inf")
