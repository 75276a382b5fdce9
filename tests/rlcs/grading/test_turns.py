"""Turns with pictures, as an endpoint gets them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from rlcs.errors import DatasetError
from rlcs.grading.turns import turns_of
from rlcs.types import Image, Problem, Video


def shown(problem: Problem) -> list[Any]:
    """The parts of the only turn; a picture by its bytes."""
    [turn] = turns_of(problem)
    return [
        part.get("text") or base64.b64decode(part["image_url"]["url"].partition("base64,")[2])
        for part in turn["content"]
    ]


def test_pictures_stand_where_the_text_has_their_places(
    make_problem: Callable[..., Problem], make_image: Callable[..., Image]
) -> None:
    first, second = make_image(1), make_image(2)
    placed = make_problem("Is <image> like <image>?", first, second)
    assert shown(placed) == ["Is ", first.read(), " like ", second.read(), "?"]
    unplaced = make_problem("Alike?", first, second)
    assert shown(unplaced) == [first.read(), second.read(), "Alike?"]
    assert turns_of(make_problem("2 + 2?")) == [{"role": "user", "content": "2 + 2?"}]


def test_a_video_is_refused_by_name(
    make_problem: Callable[..., Problem], make_video: Callable[..., Video]
) -> None:
    with pytest.raises(DatasetError, match=r"p1: expected pictures alone .* found a video"):
        turns_of(make_problem("What happens?", make_video(1)))
