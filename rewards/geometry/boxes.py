"""Coordinates, points and boxes in a declared space; nothing is guessed and nothing clipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewards.errors import AnswerError, BadReferenceError

SPACES = ("norm999", "norm1000", "norm1", "pixel")


@dataclass(frozen=True, slots=True)
class Space:
    """The range of coordinates: 0..999, 0..1000, 0..1, or pixels of an image of known size."""

    name: str
    width: float
    height: float

    def point(self, value: Any) -> tuple[float, float]:
        """Read two finite numbers in range. Raises AnswerError for anything else."""
        x, y = numbers(value, 2)
        self._check(x, y)
        return x, y

    def box(self, value: Any) -> Box:
        """Read four numbers in range, corners in order. Raises AnswerError for anything else."""
        if isinstance(value, list | tuple) and len(value) == 2:
            value = [*numbers(value[0], 2), *numbers(value[1], 2)]
        x1, y1, x2, y2 = numbers(value, 4)
        self._check(x1, y1)
        self._check(x2, y2)
        if x1 >= x2 or y1 >= y2:
            raise AnswerError(f"corners of [{x1:g}, {y1:g}, {x2:g}, {y2:g}] are out of order")
        return Box(x1, y1, x2, y2)

    def _check(self, x: float, y: float) -> None:
        if not (0 <= x <= self.width and 0 <= y <= self.height):
            raise AnswerError(f"({x:g}, {y:g}) is outside {self.width:g} x {self.height:g}")


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its corners, with x1 < x2 and y1 < y2."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def area(self) -> float:
        """The width times the height."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @property
    def centre(self) -> tuple[float, float]:
        """The point in the middle."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def holds(self, point: tuple[float, float]) -> bool:
        """Return whether the point is inside the box, edges included."""
        return self.x1 <= point[0] <= self.x2 and self.y1 <= point[1] <= self.y2

    def iou(self, other: Box) -> float:
        """Return the intersection over union with another box, in [0, 1]."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)


def read_space(reference: Mapping[str, Any], implied: str | None = None) -> Space:
    """Return the space that a reference declares, or the ``implied`` one where it declares none.

    ``implied`` is the space of the dialect that the settings name. Raises BadReferenceError for
    a reference that leaves the space open.
    """
    name = reference.get("coord")
    if name is None:
        name = implied
    if name not in SPACES:
        advice = (
            "; declare it, or name in the settings a dialect that implies one"
            if name is None
            else ""
        )
        raise BadReferenceError(
            f"coord: expected one of {', '.join(SPACES)}, found {name!r}{advice}"
        )
    if name != "pixel":
        limit = float(name.removeprefix("norm"))
        return Space(name, limit, limit)
    size = reference.get("image_size")
    try:
        width, height = numbers(size, 2)
    except AnswerError as error:
        raise BadReferenceError(
            "image_size: expected [width, height] for pixels, of the picture as the model sees it"
        ) from error
    if width <= 0 or height <= 0:
        raise BadReferenceError(f"image_size: expected positive numbers, found {size}")
    return Space(name, width, height)


def numbers(value: Any, count: int) -> list[float]:
    """Read ``count`` finite numbers. Raises AnswerError for others, booleans and text included."""
    if not isinstance(value, list | tuple) or len(value) != count:
        raise AnswerError(f"expected {count} numbers")
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise AnswerError(f"expected {count} numbers")
        if not -1e9 <= item <= 1e9:  # nor are NaN and infinity
            raise AnswerError("a number out of range")
    return [float(item) for item in value]


def reference_box(space: Space, value: Any) -> Box:
    """Read a box of a reference. Raises BadReferenceError for one that does not fit."""
    try:
        return space.box(value)
    except AnswerError as error:
        raise BadReferenceError(f"box: {error}") from error
