"""What a dialect is, and how one that is declared by a table of forms is read and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rewards.errors import AnswerError
from rewards.geometry.boxes import Space, numbers
from rewards.gui.actions import Action
from rewards.gui.dialects.source import NotThisDialectError, Source
from rewards.gui.vocabulary import direction_of, key_names, status_of

_UNKNOWN_SPACE = Space("unknown", 1000.0, 1000.0)
_TRAVEL = {"up": (0.5, 0.3), "down": (0.5, 0.7), "left": (0.3, 0.5), "right": (0.7, 0.5)}
_WHEEL = {"up": 5, "down": -5}
_SIDE_WHEEL = {"right": 5, "left": -5}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """One way in which models write an action.

    name: as the setting gives it. models: who writes it. example: a click in it. space: the
    coordinate space where a reference declares none, or None where the dialect implies none.
    source: where its definition is. shown: what every text in it has somewhere, so that other
    texts need not be looked at. actions: the canonical actions it has. targets: how it says
    what is pointed at: by a "place", by the "mark" of a numbered element. read: from an answer
    to an action; raises AnswerError, and NotThisDialectError for text that is not in it at all.
    write: an action in it, for pictures of a space; None for one that it cannot say.
    """

    name: str
    models: str
    example: str
    space: str | None
    source: str
    shown: re.Pattern[str]
    actions: frozenset[str]
    targets: frozenset[str]
    read: Callable[[Source], Action]
    write: Callable[[Action, Space | None], str | None]


@dataclass(frozen=True, slots=True)
class Form:
    """How a dialect writes one action.

    name: as it is written. action: the canonical name. arguments: written name to what it is,
    all of them required: a canonical argument, or one of "x", "y" (which make a point),
    "within" (a box that the point must be in), "wheel" (up where positive) and "side_wheel"
    (right where positive). extras: written arguments that are allowed and not compared. fixed:
    written arguments whose values tell this form from others of its name. says: canonical
    arguments that the name itself says. defaults: extras that are written although they are not
    compared.
    """

    name: str
    action: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    extras: frozenset[str] = frozenset()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, given: Mapping[str, Any]) -> bool:
        """Return whether the written arguments are those of this form."""
        if any(key not in given or not _same(given[key], self.fixed[key]) for key in self.fixed):
            return False
        allowed = self.arguments.keys() | self.extras | self.fixed.keys()
        return self.arguments.keys() <= given.keys() <= allowed


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().lower() == other.lower()
    return type(one) is type(other) and bool(one == other)


Parse = Callable[[Source], tuple[str, Mapping[str, Any]]]
Show = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    """A dialect's forms and its syntax.

    parse: from an answer to the written name and its written arguments. show: the reverse.
    place: reads what names a point or a box into two or four numbers. spell: the reverse.
    keys: writes the names of keys. targets, shown: as of a dialect.
    """

    forms: Sequence[Form]
    parse: Parse
    show: Show
    place: Callable[[Any], list[float]]
    spell: Callable[[list[float]], Any] = list
    keys: Callable[[list[str]], Any] = list
    targets: frozenset[str] = frozenset({"place"})
    shown: re.Pattern[str]

    def dialect(self, name: str, space: str | None, models: str, source: str) -> Dialect:
        """Return the dialect; its example is a click as it writes one."""
        scale = 0.001 if space == "norm1" else 1
        places = {"point": [500, 250], "bbox": [450, 200, 550, 300]}
        scaled = {key: [number * scale for number in place] for key, place in places.items()}
        click = Action("click", {**scaled, "mark": "3"})
        return Dialect(
            name=name,
            models=models,
            example=self.write(click, None) or "",
            space=space,
            source=source,
            actions=frozenset(form.action for form in self.forms),
            shown=self.shown,
            targets=self.targets,
            read=self.read,
            write=self.write,
        )

    def read(self, source: Source) -> Action:
        """Read exactly one action. Raises AnswerError."""
        name, given = self.parse(source)
        named = [form for form in self.forms if form.name == name]
        if not named:
            raise NotThisDialectError(f"unknown action {name[:40]!r}")
        given = {key: value for key, value in given.items() if value is not None}
        for form in named:
            if form.fits(given):
                return Action(form.action, self._arguments(form, given))
        expected = " or ".join(", ".join(form.arguments) or "none" for form in named)
        found = ", ".join(repr(str(key)[:40]) for key in given) or "none"
        raise AnswerError(f"{name}: expected the arguments {expected}, found {found}")

    def _arguments(self, form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = dict(form.says)
        for key, kind in form.arguments.items():
            found[kind] = self._argument(kind, given[key])
        if "x" in found:
            found["point"] = (found.pop("x"), found.pop("y"))
        if "within" in found:
            _check_within(found["point"], found.pop("within"))
        if len(found.get("point", ())) == 4:
            found["bbox"] = found.pop("point")
        for wheel, directions in (("wheel", _WHEEL), ("side_wheel", _SIDE_WHEEL)):
            if wheel in found:
                found["direction"] = _turned(found.pop(wheel), directions)
        return found

    def _argument(self, kind: str, value: Any) -> Any:
        if kind in ("point", "start", "end"):
            return tuple(self.place(value))
        if kind in ("bbox", "within"):
            box = tuple(self.place(value))
            if len(box) != 4:
                raise AnswerError("expected a box of four numbers")
            return box
        if kind in ("x", "y", "wheel", "side_wheel"):
            return numbers([value], 1)[0]
        if kind == "keys":
            key_names(value)
            return value
        if not isinstance(value, str):
            raise AnswerError(f"{kind}: expected text")
        return value

    def write(self, action: Action, space: Space | None) -> str | None:
        """Write an action; None for one that the dialect cannot say."""
        for form in self.forms:
            given = self._given(form, action, space) if form.action == action.name else None
            if given is not None:
                return self.show(form.name, {**form.fixed, **given, **form.defaults})
        return None

    def _given(self, form: Form, action: Action, space: Space | None) -> dict[str, Any] | None:
        """The written arguments of an action, None where the form is not the right one."""
        values = dict(action.arguments)
        direction = direction_of(values.get("direction"))
        if direction is not None and {"start", "end"} <= set(form.arguments.values()):
            values["start"], values["end"] = _ends(direction, space or _UNKNOWN_SPACE)
        for key, said in form.says.items():
            if not _means(key, values.get(key), said):
                return None
        given = {}
        for written_name, kind in form.arguments.items():
            value = self._spelled(kind, values, direction)
            if value is None:
                return None
            given[written_name] = value
        return given

    def _spelled(self, kind: str, values: Mapping[str, Any], direction: str | None) -> Any:
        if kind in ("x", "y"):
            point = values.get("point")
            return None if point is None or len(point) != 2 else point["xy".index(kind)]
        if kind == "wheel":
            return _WHEEL.get(direction or "")
        if kind == "side_wheel":
            return _SIDE_WHEEL.get(direction or "")
        value = values.get(kind)
        if value is None:
            return None
        if kind in ("point", "start", "end", "bbox"):
            return self.spell(list(value))
        return self.keys(key_names(value)) if kind == "keys" else str(value)


def _means(key: str, value: Any, said: str) -> bool:
    """Whether a canonical argument has the meaning that the name of a form says."""
    if not isinstance(value, str):
        return False
    return (direction_of(value) if key == "direction" else status_of(value)) == said


def _check_within(point: Sequence[float], box: Sequence[float]) -> None:
    if len(point) != 2:
        raise AnswerError("expected a point and a box")
    if not (box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]):
        raise AnswerError("the point is not in the box that is given with it")


def _turned(amount: float, directions: Mapping[str, int]) -> str:
    for direction, turn in directions.items():
        if amount * turn > 0:
            return direction
    raise AnswerError("a scroll of zero has no direction")


def _ends(direction: str, space: Space) -> tuple[list[float], list[float]]:
    """Two points in a direction from each other, the first in the middle of the picture."""
    x, y = _TRAVEL[direction]
    width, height = space.width, space.height
    return [0.5 * width, 0.5 * height], [x * width, y * height]
