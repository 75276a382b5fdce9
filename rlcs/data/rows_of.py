"""All rows of a list of sources while it is decided which of them become problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlcs.data.facts import PROMPTS, ROWS, Examiner, schemas
from rlcs.data.names import id_table, name_all
from rlcs.data.problem_list import Columns, Problems
from rlcs.data.scan import Facts
from rlcs.errors import DatasetError

MOST_CATEGORIES = 2**16


class Rows:
    """The n rows of the sources ``indices`` of an examiner, and which of them are ``alive``."""

    def __init__(self, examiner: Examiner, known: Sequence[Facts], indices: Sequence[int]) -> None:
        self._examiner = examiner
        self._indices = indices
        self._known = [known[index] for index in indices]
        sizes = [len(examiner.sources[index].store) for index in indices]
        self._source = np.repeat(np.array(indices, dtype=np.uint16), sizes)
        empty = np.zeros(0, dtype=np.uint32)
        self._row = np.concatenate([empty, *(np.arange(size, dtype=np.uint32) for size in sizes)])
        self.alive = np.ones(len(self._row), dtype=bool)
        self.texts: Any = None
        """Arrow large_string, an id for each that is alive; None before :meth:`name`."""

    def __len__(self) -> int:
        return int(self.alive.sum())

    def column(self, kind: str, name: str) -> Any:
        """A column of facts of those that are alive, as an Arrow array."""
        import pyarrow as pa

        chunks = [chunk for facts in self._known for chunk in facts[kind][name].chunks]
        found = pa.chunked_array(chunks, schemas()[kind].field(name).type)
        return found if self.alive.all() else found.filter(pa.array(self.alive))

    def numbers(self, kind: str, name: str) -> NDArray[Any]:
        """A column of numbers of those that are alive."""
        return np.asarray(self.column(kind, name).to_numpy())

    def faulty(self, kind: str) -> NDArray[np.int64]:
        """Which of those that are alive (0 for the first) have a fault of ``kind``."""
        import pyarrow.compute as pc

        faults = self.column(kind, "fault")
        if not len(faults):
            return np.zeros(0, dtype=np.int64)
        found = pc.fill_null(pc.not_equal(faults, ""), False)
        return np.flatnonzero(found.to_numpy())

    def fault(self, kind: str) -> Callable[[int], str]:
        """What gives the fault of one that is alive now."""
        faults = self.column(kind, "fault")
        return lambda which: str(faults[which].as_py())

    def domains_where(self, column: Any, value: str) -> list[str]:
        """The domains of those that are alive and have ``value`` in ``column``."""
        import pyarrow.compute as pc

        if not len(column):
            return []
        equal = pc.fill_null(pc.equal(column, value), False)
        found: list[str] = self.column(ROWS, "domain").filter(equal).to_pylist()
        return found

    def with_ids(self, names: Any) -> NDArray[np.int64]:
        """Which of those that are alive have one of these ids."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(names), pa.large_string()) if isinstance(names, set) else names
        if not len(self) or not len(wanted):
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(pc.is_in(self.texts, value_set=wanted).to_numpy(zero_copy_only=False))

    def id(self, which: int) -> str:
        """The id of one that is alive."""
        return str(self.texts[which].as_py())

    def location(self, which: int) -> str:
        """The file and line of one that is alive."""
        position = int(np.flatnonzero(self.alive)[which])
        store = self._examiner.sources[self._source[position]].store
        return store.location(int(self._row[position]))

    def where(self, which: int) -> str:
        """What a message calls one that is alive: where its row is, and its id."""
        return f"{self.location(which)} ({self.id(which)})"

    def without(self, which: NDArray[np.integer]) -> None:
        """Take some of those that are alive out."""
        if not len(which):
            return
        kept = np.ones(len(self), dtype=bool)
        kept[which] = False
        if self.texts is not None:
            import pyarrow as pa

            self.texts = self.texts.filter(pa.array(kept))
        self.alive[np.flatnonzero(self.alive)[~kept]] = False

    def name(self) -> dict[int, int]:
        """Give an id to each that is alive; returns which may not repeat another's and does, and
        the first that has its id."""
        sources = self._examiner.sources
        unique = [source.laid.source.reasoning_gym is None for source in sources]
        has_ids = any(sources[index].laid.source.columns.id for index in np.unique(self._source))
        names = name_all(
            self.numbers(ROWS, "key").astype(np.uint64),
            self.column(ROWS, "name").combine_chunks() if has_ids else None,
            np.array(unique, dtype=bool)[self._source[self.alive]],
        )
        self.texts = names.texts
        return names.repeats

    def source_of(self, which: int) -> int:
        """The source of one that is alive."""
        return int(self._source[np.flatnonzero(self.alive)[which]])

    def problems(self) -> Problems:
        """Those that are alive as problems."""
        categories, codes = _coded(self.column(ROWS, "domain"), self.column(ROWS, "category"))
        shown = {
            kind: int(self.numbers(ROWS, f"{kind}s").max(initial=0)) for kind in ("image", "video")
        }
        columns = Columns(
            source=self._source[self.alive],
            row=self._row[self.alive],
            categories=categories,
            codes=codes,
            rates=self.numbers(ROWS, "rate").astype(np.float64),
            contents=self.numbers(ROWS, "content").astype(np.uint32),
            tokens=self.numbers(PROMPTS, "tokens").astype(np.int32)
            if self._examiner.renderer
            else None,
            labels=self._labels(),
            most_shown=shown,
            shown={
                index: facts[ROWS]["shown"]
                for index, facts in zip(self._indices, self._known, strict=True)
            },
        )
        return Problems(self._examiner, columns, *id_table(self.texts))

    def _labels(self) -> dict[int, str]:
        labels = self.column(ROWS, "label")
        if labels.null_count == len(labels):
            return {}
        found = np.flatnonzero(labels.is_valid().to_numpy())
        return dict(zip(found.tolist(), labels.drop_null().to_pylist(), strict=True))


def _coded(domains: Any, categories: Any) -> tuple[list[tuple[str, str]], NDArray[np.uint16]]:
    """The distinct pairs, sorted, and the index of each row's pair among them.

    Raises:
        DatasetError: there are more than indices can tell apart.
    """
    if not len(domains):
        return [], np.zeros(0, dtype=np.uint16)
    first, second = (each.combine_chunks().dictionary_encode() for each in (domains, categories))
    both = first.indices.to_numpy().astype(np.int64) * len(second.dictionary)
    both += second.indices.to_numpy()
    distinct, inverse = np.unique(both, return_inverse=True)
    if len(distinct) > MOST_CATEGORIES:
        raise DatasetError(
            f"data: expected at most {MOST_CATEGORIES:,} categories, found {len(distinct):,}. Name "
            "a coarser column by columns.category: many problems have a category in common."
        )
    names = [
        (
            first.dictionary[int(each) // len(second.dictionary)].as_py(),
            second.dictionary[int(each) % len(second.dictionary)].as_py(),
        )
        for each in distinct
    ]
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.uint16)
    rank[order] = np.arange(len(names), dtype=np.uint16)
    return [names[each] for each in order], rank[inverse]
