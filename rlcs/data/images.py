"""The pictures of a row: identified by their content, and never outside the data's folder.

A picture that a run could not read is refused here, before anything starts: one that is no picture,
that ends too early, or that is far larger than a picture should be.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlcs.errors import first_line
from rlcs.types import Image

PLACEHOLDER = "<image>"
"""Stands in a turn's text for the next picture of its row."""
NUM_DIGEST_CHARACTERS = 16
JPEG_END = b"\xff\xd9"
TAIL_BYTES = 64
"""In which the end of a JPEG is looked for: some programs write something behind it."""


class BadImageError(Exception):
    """A picture or video that cannot be used; the message says why."""


def read_images(value: Any, folder: Path) -> tuple[Image, ...]:
    """The pictures of a cell: a file's name, ``{"bytes", "path"}`` as ``datasets`` has it,
    ``{"image"}`` as verl's rows may, or a list of these. Names are looked up in ``folder`` and may
    not lead out of it.

    Raises:
        BadImageError: a picture cannot be used; the message names the first one.
    """
    return tuple(read_image(part, folder) for part in cell_parts(value))


def cell_parts(value: Any) -> Iterator[Any]:
    """What is in a cell that holds one thing, a list of them, or nothing."""
    if isinstance(value, list):
        yield from value
    elif value is not None and value != "":
        yield value


def read_image(value: Any, folder: Path) -> Image:
    """One picture; see :func:`read_images`."""
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return encoded_image(value["bytes"])
    name: Any = named_in(value, "image")
    path = file_inside(name, folder, "picture")
    # The bytes are read for their digest, and not kept: a run may have a million of them.
    return replace(encoded_image(read_file(path, name), name=name), stored=path)


def named_in(value: Any, key: str) -> Any:
    """The name of a file in a cell's part: the text itself, or what an object has under ``path``
    or ``key``."""
    return (value.get("path") or value.get(key) or value) if isinstance(value, dict) else value


def file_inside(name: Any, folder: Path, what: str) -> Path:
    """The file ``name`` of ``folder``; ``what`` it should be is for the message.

    Raises:
        BadImageError: there is no such file, or it lies elsewhere.
    """
    if not isinstance(name, str):
        raise BadImageError(f"expected the name of a {what}'s file, found {str(name)[:80]!r}")
    try:
        path = (folder / name).resolve()
        inside, is_file = path.is_relative_to(folder.resolve()), path.is_file()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise BadImageError(f"expected a {what}, found the name {name[:80]!r}: {error}") from None
    if not inside:
        raise BadImageError(f"expected a {what} in {folder}, found {name!r}, which leads out of it")
    if not is_file:
        raise BadImageError(f"expected a {what}, found no file {name!r} in {folder}")
    return path


def read_file(path: Path, name: str) -> bytes:
    """What is in a file that a row names.

    Raises:
        BadImageError: it may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadImageError(
            f"expected a file that may be read, found {name!r}: {error.strerror}"
        ) from None


def digest_of(*contents: bytes) -> str:
    """By which pictures and videos are told apart."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(content)
    return whole.hexdigest()[:NUM_DIGEST_CHARACTERS]


def encoded_image(content: bytes, *, name: str | None = None) -> Image:
    """The picture that ``content`` encodes; its pixels are decoded only where there is a doubt.

    Raises:
        BadImageError: ``content`` encodes no picture, or not a whole one.
    """
    digest = digest_of(content)
    name = name or digest
    if not content:
        raise BadImageError(f"expected a picture, found {name!r}, which is empty")
    width, height = _examine(content, name)
    return Image(name=name, digest=digest, width=width, height=height, stored=content)


def _examine(content: bytes, name: str) -> tuple[int, int]:
    """The width and the height of a picture that can be decoded to its end."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(io.BytesIO(content)) as opened:
                size = opened.size
                if opened.format == "PNG":
                    opened.verify()  # reads every part and its checksum, and decodes nothing
                elif opened.format != "JPEG" or JPEG_END not in content[-TAIL_BYTES:]:
                    opened.load()
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise BadImageError(
            f"expected a picture of at most {PIL.Image.MAX_IMAGE_PIXELS:,} pixels, found {name!r}, "
            "which has more and would fill the memory. Make it smaller"
        ) from None
    except PIL.UnidentifiedImageError:
        raise BadImageError(
            f"expected a picture, found {name!r}, which cannot be opened: it has no known format"
        ) from None
    except Exception as error:  # readers of picture formats raise anything
        raise BadImageError(
            f"expected a picture, found {name!r}, which cannot be opened: {first_line(error)}"
        ) from None
    return size
