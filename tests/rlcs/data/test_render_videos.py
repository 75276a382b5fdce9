"""Prompts with videos are those that the model's own processor makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from own_forward import own_metadata, own_processor

from rlcs.data import Renderer
from rlcs.errors import DatasetError
from rlcs.model.loading import decode_image, decode_video
from rlcs.types import Image, Problem, Video

MakeProblem = Callable[..., Problem]

LENGTHS = [
    pytest.param(8, id="an even number of frames"),
    pytest.param(9, id="an odd number"),
    pytest.param(1, id="one frame"),
    pytest.param(40, id="longer than may be shown: several seconds"),
]


@pytest.fixture(params=["tiny_glm", "tiny_qwen_vl"])
def model_path(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize("number", LENGTHS)
def test_as_the_processor_writes_them(
    number: int,
    model_path: str,
    make_problem: MakeProblem,
    make_image: Callable[..., Image],
    make_video: Callable[..., Video],
) -> None:
    video, image = make_video(1, number, 60, 84), make_image(2)
    renderer, processor = (
        Renderer.load(model_path, max_prompt_tokens=500),
        own_processor(model_path),
    )
    prompt = renderer.render(make_problem("Is <image> in <video>?", image, video))
    parts = [
        {"type": "text", "text": "Is "},
        {"type": "image"},
        {"type": "text", "text": " in "},
        {"type": "video"},
        {"type": "text", "text": "?"},
    ]
    text = processor.apply_chat_template(
        [{"role": "user", "content": parts}], add_generation_prompt=True, tokenize=False
    )
    expected = processor(
        text=text,
        images=[decode_image(image)],
        videos=[decode_video(video)],
        video_metadata=[own_metadata(video)],
        do_sample_frames=False,
    )["input_ids"][0]
    assert prompt.token_ids.tolist() == list(expected)


def test_places(
    model_path: str,
    make_problem: MakeProblem,
    make_image: Callable[..., Image],
    make_video: Callable[..., Video],
) -> None:
    """Those without a place stand before the last turn, in the order of the problem."""
    renderer = Renderer.load(model_path, max_prompt_tokens=500)
    video, image = make_video(1), make_image(2)
    written = renderer.render(make_problem("<image><video>What?", image, video))
    assert renderer.render(make_problem("What?", image, video)).token_ids.tolist() == (
        written.token_ids.tolist()
    )
    half = renderer.render(make_problem("<video>What?", image, video))
    assert half.token_ids.tolist() == written.token_ids.tolist()


REFUSED = [
    pytest.param("tiny_glm", 2, "at most 1 video for a model of the type glm4v", id="two for GLM"),
    pytest.param("tiny_model", 1, "the model has no vision tower", id="a model that is blind"),
]


@pytest.mark.parametrize(("model", "number", "message"), REFUSED)
def test_what_is_refused(
    model: str,
    number: int,
    message: str,
    request: pytest.FixtureRequest,
    make_problem: MakeProblem,
    make_video: Callable[..., Video],
) -> None:
    renderer = Renderer.load(request.getfixturevalue(model), max_prompt_tokens=500)
    videos = [make_video(seed) for seed in range(number)]
    with pytest.raises(DatasetError, match=rf"rows.jsonl:3 \(p1\): .*{message}"):
        renderer.render_all([make_problem("What?", *videos, location="rows.jsonl:3")])
