"""Pictures of a row: found, opened as far as their size, and never outside the data's folder."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rlcs.types import Image

PLACEHOLDER = "<image>"
"""Stands in a turn's text for the next picture of its row."""


class BadImageError(Exception):
    """A picture that cannot be used; the message says why."""


def read_images(value: Any, folder: Path) -> tuple[Image, ...]:
    """The pictures of a cell: a file's name, ``{"bytes", "path"}`` as ``datasets`` has them, or
    a list of these. Names are looked up in ``folder`` and may not lead out of it.

    Raises:
        BadImageError: naming the first that cannot be used.
    """
    return tuple(_read_image(part, folder) for part in _parts(value))


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif value is not None and value != "":
        yield value


def _read_image(value: Any, folder: Path) -> Image:
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return _encoded(value["bytes"])
    name = value.get("path") if isinstance(value, dict) else value
    if not isinstance(name, str):
        raise BadImageError(f"expected the name of a picture's file, found {str(value)[:80]!r}")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadImageError(f"expected a picture in {folder}, found {name!r}, a way out of it")
    if not path.is_file():
        raise BadImageError(f"expected a picture, found no file {name!r} in {folder}")
    width, height = _size(path, name)
    return Image(name=name, width=width, height=height, stored=path)


def _encoded(content: bytes) -> Image:
    name = hashlib.sha256(content).hexdigest()[:16]
    width, height = _size(io.BytesIO(content), name)
    return Image(name=name, width=width, height=height, stored=content)


def _size(source: Path | io.BytesIO, name: str) -> tuple[int, int]:
    """Width and height, from the head of the file: its pixels are not decoded here."""
    import PIL.Image

    try:
        with PIL.Image.open(source) as opened:
            return opened.size
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise BadImageError(
            f"expected a picture, found {name!r}, which cannot be opened: {error}"
        ) from None
