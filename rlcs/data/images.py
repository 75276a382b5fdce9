"""The pictures of a row: identified by their content, and never outside the data's folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlcs.types import Image

PLACEHOLDER = "<image>"
"""Stands in a turn's text for the next picture of its row."""
NUM_DIGEST_CHARACTERS = 16


class BadImageError(Exception):
    """A picture that cannot be used; the message says why."""


def read_images(value: Any, folder: Path) -> tuple[Image, ...]:
    """The pictures of a cell: a file's name, ``{"bytes", "path"}`` as ``datasets`` has it, or a
    list of these. Names are looked up in ``folder`` and may not lead out of it.

    Raises:
        BadImageError: a picture cannot be used; the message names the first one.
    """
    return tuple(_read_image(part, folder) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif value is not None and value != "":
        yield value


def _read_image(value: Any, folder: Path) -> Image:
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return encoded_image(value["bytes"])
    name = value.get("path") if isinstance(value, dict) else value
    if not isinstance(name, str):
        raise BadImageError(f"expected the name of a picture's file, found {str(value)[:80]!r}")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadImageError(
            f"expected a picture in {folder}, found {name!r}, which leads out of it"
        )
    if not path.is_file():
        raise BadImageError(f"expected a picture, found no file {name!r} in {folder}")
    # The bytes are read for their digest, and not kept: a run may have a million of them.
    return replace(encoded_image(path.read_bytes(), name=name), stored=path)


def encoded_image(content: bytes, *, name: str | None = None) -> Image:
    """The picture that ``content`` encodes; its pixels are not decoded here.

    Raises:
        BadImageError: ``content`` encodes no picture.
    """
    import PIL.Image

    digest = hashlib.sha256(content).hexdigest()[:NUM_DIGEST_CHARACTERS]
    name = name or digest
    try:
        with PIL.Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise BadImageError(
            f"expected a picture, found {name!r}, which cannot be opened: {error}"
        ) from None
    return Image(name=name, digest=digest, width=width, height=height, stored=content)
