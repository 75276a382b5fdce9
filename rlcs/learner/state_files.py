"""The files of a learner's state: stretches of float32 numbers, whoever wrote them and reads them.

Each rank writes the stretches of each trained parameter that it keeps: its weights, and AdamW's two
moments once there are any. The files say nothing of ranks or ZeRO stages, so that any number of
ranks of any stage can read them, each what it needs, and an export needs no rank at all.

The files are safetensors and JSON: to read them runs no code, whoever wrote them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rlcs.errors import LearningError, first_line

WEIGHTS = "weights"
MOMENTS = ("exp_avg", "exp_avg_sq")
"""The moments by the names that AdamW has for them."""
SUMMARY_NAME = "state.json"
MAX_FILE_BYTES = 2**30
"""Tensors of a GPU are copied to the host a file at a time."""
MAX_SUMMARY_BYTES = 2**26
MAX_STEPS = 2**31


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of one trained parameter, as one rank keeps it."""

    name: str
    """The name of the parameter in the policy."""
    start: int
    """The place of its first number in the flattened parameter."""
    numbers: dict[str, torch.Tensor]
    """``weights``, and the moments if there are any: [n] float32 each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What all ranks know of a state."""

    steps: int
    """AdamW's steps so far; without any there are no moments."""
    shapes: dict[str, tuple[int, ...]]
    """Every trained parameter's name and shape."""


def write_summary(folder: Path, summary: Summary) -> None:
    """Write what is common to all ranks; one of them does it."""
    text = json.dumps({"steps": summary.steps, "shapes": summary.shapes})
    (folder / SUMMARY_NAME).write_text(text + "\n")


def write_stretches(folder: Path, rank: int, stretches: Iterable[Stretch]) -> None:
    """Write what ``rank`` keeps, in files of bounded size."""
    tensors: dict[str, torch.Tensor] = {}
    size = written = 0

    def write() -> None:
        nonlocal size, written
        if tensors:
            save_file(tensors, folder / f"rank_{rank:05d}_{written:05d}.safetensors")
            tensors.clear()
            size, written = 0, written + 1

    for stretch in stretches:
        for kind, numbers in stretch.numbers.items():
            if size + numbers.nbytes > MAX_FILE_BYTES:
                write()
            tensors[f"{kind}/{stretch.start}/{stretch.name}"] = numbers.detach()
            size += numbers.nbytes
    write()


@dataclass(frozen=True, slots=True)
class _Part:
    """A tensor of a file: some numbers of a parameter."""

    start: int
    stop: int
    key: str
    file: Any


@dataclass(slots=True)
class StateReader:
    """A state in a folder, opened; only what is asked for is read."""

    folder: Path
    summary: Summary = field(init=False)
    _parts: dict[tuple[str, str], list[_Part]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Look at all files, and check that every number is there once.

        Raises:
            LearningError: it is none, damaged or incomplete.
        """
        self.summary = _read_summary(self.folder)
        for path in sorted(self.folder.glob("*.safetensors")):
            try:
                self._index(path)
            except (SafetensorError, OSError) as error:
                raise _damaged(path, first_line(error)) from error
        for name, shape in self.summary.shapes.items():
            for kind in (WEIGHTS, *(MOMENTS if self.summary.steps else ())):
                self._check_whole(kind, name, math.prod(shape))

    def whole(self, name: str) -> torch.Tensor:
        """The weights of a parameter, in its shape, float32."""
        shape = self.summary.shapes[name]
        return self.read(WEIGHTS, name, 0, math.prod(shape)).view(shape)

    def read(self, kind: str, name: str, start: int, length: int) -> torch.Tensor:
        """``length`` numbers [length] of a parameter from ``start`` on."""
        stop, found = start + length, torch.empty(length)
        for part in self._parts[kind, name]:
            first, last = max(start, part.start), min(stop, part.stop)
            if first < last:
                numbers = part.file.get_slice(part.key)[first - part.start : last - part.start]
                found[first - start : last - start] = numbers
        return found

    def _index(self, path: Path) -> None:
        file: Any = safe_open(path, framework="pt")
        for key in file.keys():  # noqa: SIM118 (it is no mapping)
            kind, _, rest = key.partition("/")
            start, _, name = rest.partition("/")
            known = kind in (WEIGHTS, *MOMENTS) and name in self.summary.shapes
            numbers = file.get_slice(key)
            shape, dtype = numbers.get_shape(), numbers.get_dtype()
            if not (known and start.isdecimal() and len(start) < 19):
                raise _damaged(path, f"a tensor named {key!r:.100}, which no parameter has")
            if len(shape) != 1 or dtype != "F32":
                raise _damaged(path, f"{key!r:.100} of type {dtype} and shape {shape!r:.60}")
            part = _Part(int(start), int(start) + shape[0], key, file)
            self._parts.setdefault((kind, name), []).append(part)

    def _check_whole(self, kind: str, name: str, length: int) -> None:
        parts = self._parts.get((kind, name), [])
        parts.sort(key=lambda part: part.start)
        stops = [0, *(part.stop for part in parts)]
        if [part.start for part in parts] != stops[:-1] or stops[-1] != length:
            raise _damaged(
                self.folder,
                f"{kind} of {name!r:.100} in stretches "
                f"{[(part.start, part.stop) for part in parts][:5]} of {length}; each number has "
                "to be there once",
            )


def _read_summary(folder: Path) -> Summary:
    path = folder / SUMMARY_NAME
    if not path.is_file():
        raise LearningError(
            f"expected a learner state with {SUMMARY_NAME} in {folder}, found none."
        )
    if path.stat().st_size > MAX_SUMMARY_BYTES:
        raise _damaged(path, "a file that is far too large")
    try:
        read = json.loads(path.read_bytes())
        steps, shapes = read["steps"], read["shapes"]
        sizes = {str(name): tuple(shape) for name, shape in shapes.items()}
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"something else ({first_line(error)[:100]})") from error
    every = [size for shape in sizes.values() for size in shape]
    if type(steps) is not int or not all(type(size) is int and 0 < size < 2**40 for size in every):
        raise _damaged(path, "numbers that cannot be")
    if not 0 <= steps < MAX_STEPS or any(len(shape) > 8 for shape in sizes.values()):
        raise _damaged(path, "numbers that cannot be")
    return Summary(steps=steps, shapes=sizes)


def _damaged(path: Path, found: str) -> LearningError:
    return LearningError(f"expected the learner's weights and moments in {path}, found {found}.")
