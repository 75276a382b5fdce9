"""A problem's turns as an OpenAI-compatible endpoint takes them, pictures included."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

from rlcs.data.images import PLACEHOLDER
from rlcs.errors import DatasetError
from rlcs.types import Image, Problem


def turns_of(problem: Problem) -> list[dict[str, Any]]:
    """The turns of ``problem``; with pictures each turn is a list of parts.

    A picture stands where the text has its place, and without places before the last turn's text,
    as the model reads it in training. It is sent within the request, as a data URL.

    Raises:
        DatasetError: the problem has a video, for which the protocol has no form.
    """
    if not problem.images:
        return [dict(turn) for turn in problem.messages]
    pictures = iter([_part(problem, each) for each in problem.images])
    placed = any(PLACEHOLDER in turn["content"] for turn in problem.messages)
    contents = [list(_parts(turn["content"], pictures)) for turn in problem.messages]
    if not placed:
        contents[-1][:0] = pictures
    return [
        {"role": turn["role"], "content": content}
        for turn, content in zip(problem.messages, contents, strict=True)
    ]


def _parts(text: str, pictures: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for index, piece in enumerate(text.split(PLACEHOLDER)):
        if index:
            yield next(pictures)
        if piece:
            yield {"type": "text", "text": piece}


def _part(problem: Problem, image: Any) -> dict[str, Any]:
    if not isinstance(image, Image):
        raise DatasetError(
            f"{problem.where}: expected pictures alone where an endpoint is asked, found a video. "
            "Ask a model of your own (path), or take these rows out."
        )
    import PIL.Image

    content = image.read()
    with PIL.Image.open(io.BytesIO(content)) as opened:
        kind = PIL.Image.MIME[str(opened.format)]
    url = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
