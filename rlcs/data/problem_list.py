"""The problems of a run as a sequence, of which each is read from its row when it is wanted.

Only a few numbers and the id of each are held. A problem that is not what the scan found in its row
any more is noticed by its fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from curricula import IdTable, ProblemSet, fingerprint
from rlcs.data.facts import ROWS_READ_AT_ONCE, Examiner, named
from rlcs.data.sources import OpenSource
from rlcs.data.stores import BadRowError, Row
from rlcs.errors import DatasetError
from rlcs.types import Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """What is held of n problems, in the order of their rows."""

    source: NDArray[np.uint16]
    """[n] which of the examiner's sources."""
    row: NDArray[np.uint32]
    """[n] which of its rows."""
    categories: Sequence[tuple[str, str]]
    """The distinct (domain, category) pairs, sorted."""
    codes: NDArray[np.uint16]
    """[n] which of them."""
    rates: NDArray[np.float64]
    """[n] pass rates from before the run, NaN where there is none."""
    contents: NDArray[np.uint32]
    """[n] fingerprints."""
    tokens: NDArray[np.int32] | None
    """[n] lengths of the prompts; None where there is no model."""
    labels: Mapping[int, str]
    """What people said of the difficulty, of those that somebody said something of."""
    most_shown: Mapping[str, int]
    """The most pictures and the most videos that one of them has."""
    shown: Mapping[int, Any]
    """Source → what ``described`` says of the pictures of each of its rows; Arrow, mapped."""


class Problems(Sequence[Problem]):
    """Problems by their position and by their id."""

    def __init__(
        self, examiner: Examiner, columns: Columns, ids: IdTable, order: NDArray[np.integer]
    ) -> None:
        """``ids`` and ``order`` are what ``IdTable.build`` returned."""
        self._examiner = examiner
        self.columns = columns
        self._ids = ids
        self._order = order.astype(np.uint32)
        self._index = np.empty(len(order), dtype=np.uint32)
        self._index[order] = np.arange(len(order), dtype=np.uint32)

    def __len__(self) -> int:
        return len(self.columns.row)

    @overload
    def __getitem__(self, position: int) -> Problem: ...

    @overload
    def __getitem__(self, position: slice) -> list[Problem]: ...

    def __getitem__(self, position: int | slice) -> Problem | list[Problem]:
        places = range(len(self))[position]
        return self._read([places])[0] if isinstance(places, int) else self._read(places)

    def __iter__(self) -> Iterator[Problem]:
        for start in range(0, len(self), ROWS_READ_AT_ONCE):
            yield from self[start : start + ROWS_READ_AT_ONCE]

    def ids(self, positions: Sequence[int] | NDArray[np.integer] | None = None) -> list[str]:
        """The ids at these positions, or all of them."""
        return self._ids.texts(self._index if positions is None else self._index[positions])

    def positions(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The position of each id, -1 where there is none."""
        found = self._ids.find(ids)
        return np.where(found < 0, -1, self._order[found].astype(np.int64))

    def find(self, ids: Sequence[str]) -> list[Problem]:
        """The problems with these ids, each of which there is.

        Raises:
            DatasetError: a row is not what it was when it was examined.
        """
        found = self.positions(ids)
        assert (found >= 0).all(), "the curriculum knows the run's problems alone"
        return self._read(found.tolist())

    def described(self) -> Iterator[tuple[Problem, str]]:
        """Each problem without its pictures, and what the scan found of these (``described``).

        No picture is read, which of very many takes minutes.

        Raises:
            DatasetError: a row is not what it was when it was examined.
        """
        for start in range(0, len(self), ROWS_READ_AT_ONCE):
            at = np.arange(start, min(len(self), start + ROWS_READ_AT_ONCE))
            for problem, position in zip(self._read(at, pictures=False), at, strict=True):
                source, row = self.columns.source[position], self.columns.row[position]
                yield problem, self.columns.shown[int(source)][int(row)].as_py() or "[]"

    def shares(self) -> Counter[str]:
        """How many problems there are of each ``domain/category``."""
        counts = np.bincount(self.columns.codes, minlength=len(self.columns.categories))
        names = (f"{domain}/{category}" for domain, category in self.columns.categories)
        return Counter(dict(zip(names, counts.tolist(), strict=True)))

    def for_curriculum(self) -> ProblemSet:
        """What a curriculum may know of them."""
        return ProblemSet.of_arrays(
            self._ids,
            self._order,
            self.columns.categories,
            self.columns.codes,
            self.columns.rates,
            self.columns.contents,
        )

    def with_rates(self, rates: NDArray[np.float64]) -> Problems:
        """The same problems with other pass rates [n] from before the run."""
        columns = replace(self.columns, rates=rates)
        return Problems(self._examiner, columns, self._ids, self._order)

    def _read(
        self, positions: Sequence[int] | NDArray[np.int64], *, pictures: bool = True
    ) -> list[Problem]:
        """The problems at these positions; rows that follow one another are read together."""
        at = np.asarray(positions, dtype=np.int64)
        names = iter(self.ids(at))
        sources, rows = self.columns.source[at], self.columns.row[at].astype(np.int64)
        breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(sources) != 0)) + 1
        found: list[Problem] = []
        for part in np.split(np.arange(len(at)), breaks):
            if len(part):
                opened = self._examiner.sources[sources[part[0]]]
                columns = opened.laid.source.columns
                without = () if pictures else (columns.images or "", columns.videos or "")
                start = int(rows[part[0]])
                read = opened.store.rows(start, start + len(part), without)
                one = self._one if pictures else self._one_without_pictures
                for position, row in zip(at[part].tolist(), read, strict=True):
                    found.append(one(opened, position, row, next(names)))
        return found

    def _one(self, opened: OpenSource, position: int, row: Row | BadRowError, name: str) -> Problem:
        problem = self._examiner.problem(opened, row)
        if (
            not isinstance(problem, Problem)
            or fingerprint(problem.content) != self.columns.contents[position]
        ):
            raise self._changed(opened, position, name)
        return named(problem, name, float(self.columns.rates[position]))

    def _one_without_pictures(
        self, opened: OpenSource, position: int, row: Row | BadRowError, name: str
    ) -> Problem:
        """The same; a change of what is not read goes unnoticed."""
        problem = self._examiner.problem(opened.without_pictures(), row)
        if not isinstance(problem, Problem):
            raise self._changed(opened, position, name)
        return named(problem, name, float(self.columns.rates[position]))

    def _changed(self, opened: OpenSource, position: int, name: str) -> DatasetError:
        location = opened.store.location(int(self.columns.row[position]))
        return DatasetError(
            f"{location} ({name}): expected the row and the pictures that were examined when the "
            "run began, found them changed. Leave the data as it is while a run goes on, and start "
            "again."
        )


def most_shown(*parts: Problems) -> dict[str, Any]:
    """The most pictures and the most videos that one problem of any of the lists has."""
    found = [part.columns.most_shown for part in parts]
    return {kind: max(each[kind] for each in found) for kind in ("image", "video")}
