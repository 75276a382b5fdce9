"""The portable form of what is known about difficulty: a small Parquet table.

Columns `id, model, passes, attempts, label`, one row a problem and model, in which offline grading
writes its results too (it adds `errors`: attempts that *we* failed to judge, which are in neither
count). Attempts may be fractions: exported evidence is aged. Problems without evidence have no row.

A label is what a person said about a problem, except in an exported table, whose labels are the
tiers at that time: the file says which (Parquet metadata), and only a person's count as labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curricula.errors import TableError, listed
from curricula.knowledge.tiers import Floats, Indices

_LABELS_ARE = b"rlcs.labels_are"
_TIERS = b"tiers"


@dataclass(frozen=True, kw_only=True, slots=True)
class DifficultyTable:
    """Evidence about problems, each array and list [rows]; ids are distinct.

    `labels` are tier names, or empty texts.
    """

    ids: Sequence[str]
    passes: Floats
    attempts: Floats
    labels: Sequence[str]

    def __post_init__(self) -> None:
        num = len(self.ids)
        if not len(self.passes) == len(self.attempts) == len(self.labels) == num:
            raise TableError(f"expected columns of one length, found {num} ids and other columns")
        _check_counts(self.ids, self.passes, self.attempts)
        _check_distinct(self.ids, "add up the rows of several models first")

    @property
    def pass_rates(self) -> dict[str, float]:
        """Passes over attempts by id, for `CurriculumProblem.prior_pass_rate`."""
        return {
            name: float(passes / attempts)
            for name, passes, attempts in zip(self.ids, self.passes, self.attempts, strict=True)
            if attempts > 0
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Grades:
    """How each of several models fared on each problem.

    ids: [problems] distinct. models: [models] distinct, in the order of the table.
    passes, attempts: [models, problems]; no attempts where a model did not try the problem.
    errors: [models, problems] attempts that we failed to judge; they are not in `attempts`.
    labels: [problems] what a person said of the difficulty, empty where nobody did.
    """

    ids: Sequence[str]
    models: Sequence[str]
    passes: Floats
    attempts: Floats
    errors: Floats
    labels: Sequence[str]

    def __post_init__(self) -> None:
        shape = (len(self.models), len(self.ids))
        arrays = (self.passes, self.attempts, self.errors)
        if any(array.shape != shape for array in arrays) or len(self.labels) != shape[1]:
            raise TableError(
                f"expected counts of {shape[0]} models and {shape[1]} problems and a label each, "
                f"found {[array.shape for array in arrays]} and {len(self.labels)} labels"
            )
        for passes, attempts in zip(self.passes, self.attempts, strict=True):
            _check_counts(self.ids, passes, attempts)
        _check_distinct(self.ids, "add up the rows of a problem first")
        _check_distinct(self.models, "give every model a name of its own")

    def summed(self) -> DifficultyTable:
        """Return the attempts of all models added up by problem."""
        return DifficultyTable(
            ids=self.ids,
            passes=self.passes.sum(0),
            attempts=self.attempts.sum(0),
            labels=self.labels,
        )


def write_difficulty_table(table: DifficultyTable, path: Path | str, *, model: str) -> None:
    """Write the table as Parquet; `model` names the policy the evidence is about."""
    columns: dict[str, Any] = {
        "id": table.ids,
        "model": [model] * len(table.ids),
        "passes": table.passes.astype(np.float32),
        "attempts": table.attempts.astype(np.float32),
        "label": table.labels,
    }
    _write(columns, path, {_LABELS_ARE: _TIERS})


def write_grades(grades: Grades, path: Path | str) -> None:
    """Write a row for each problem and model that attempted it, model by model."""
    model, problem = np.nonzero(grades.attempts + grades.errors)
    columns: dict[str, Any] = {
        "id": [grades.ids[index] for index in problem.tolist()],
        "model": [grades.models[index] for index in model.tolist()],
        "passes": grades.passes[model, problem].astype(np.float32),
        "attempts": grades.attempts[model, problem].astype(np.float32),
        "errors": grades.errors[model, problem].astype(np.float32),
        "label": [grades.labels[index] or None for index in problem.tolist()],
    }
    _write(columns, path, {})


def read_difficulty_table(path: Path | str) -> DifficultyTable:
    """Read a table, adding up the attempts of all models by problem.

    TableError when a column is missing or its counts make no sense.
    """
    columns, _ = _read(path)
    return _grades(columns, path).summed()


def read_grades(path: Path | str) -> Grades:
    """Read a table by model; several rows of one problem and model are added up.

    Labels that are the tiers of an exported table are not a person's and are left out. Where rows
    of one problem have different labels the last one counts. TableError when there is no such
    file, a column is missing or its counts make no sense.
    """
    columns, labels_are_tiers = _read(path)
    if labels_are_tiers:
        columns.pop("label", None)
    return _grades(columns, path)


def _grades(columns: dict[str, list[Any]], path: Path | str) -> Grades:
    num = len(columns["id"])
    names = [name or "" for name in columns.get("model", [""] * num)]
    index_of: dict[str, int] = {}
    problem = np.array(
        [index_of.setdefault(id_, len(index_of)) for id_ in columns["id"]], dtype=np.int64
    )
    model_index: dict[str, int] = {}
    model = np.array(
        [model_index.setdefault(name, len(model_index)) for name in names], dtype=np.int64
    )
    labels = [""] * len(index_of)
    for row, label in zip(problem.tolist(), columns.get("label", []), strict=False):
        labels[row] = str(label) if label not in (None, "") else labels[row]
    shape = (len(model_index), len(index_of))
    counts = {
        name: _summed(columns.get(name, [0.0] * num), model, problem, shape, name, path)
        for name in ("passes", "attempts", "errors")
    }
    try:
        return Grades(ids=list(index_of), models=list(model_index), labels=labels, **counts)
    except TableError as error:
        raise TableError(f"{path}: {error}") from error


def _summed(
    values: list[Any],
    model: Indices,
    problem: Indices,
    shape: tuple[int, int],
    name: str,
    path: Path | str,
) -> Floats:
    try:
        counts: NDArray[np.float64] = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TableError(f"expected numbers in column {name} of {path}, found others") from None
    sums = np.zeros(shape)
    np.add.at(sums, (model, problem), counts)
    return sums


def _write(columns: dict[str, Any], path: Path | str, metadata: dict[bytes, bytes]) -> None:
    import pyarrow
    import pyarrow.parquet

    texts = {
        name: pyarrow.array(columns[name], pyarrow.string()) for name in ("id", "model", "label")
    }
    table = pyarrow.table({**columns, **texts}).replace_schema_metadata(metadata or None)
    pyarrow.parquet.write_table(table, path, compression="zstd")


def _read(path: Path | str) -> tuple[dict[str, list[Any]], bool]:
    """The columns, ids as texts, and whether the labels are tiers."""
    import pyarrow
    import pyarrow.parquet

    if not Path(path).is_file():
        found = "a folder" if Path(path).is_dir() else "nothing there"
        raise TableError(f"expected a difficulty table (Parquet) at {path}, found {found}")
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(
            f"expected a difficulty table (Parquet) at {path}, found a file that is none: {error}"
        ) from None
    needed = ("id", "passes", "attempts")
    if missing := [name for name in needed if name not in table.column_names]:
        raise TableError(
            f"expected the columns id, passes and attempts in {path}, found "
            f"{listed(table.column_names)}; missing: {', '.join(missing)}"
        )
    wanted = [name for name in (*needed, "model", "errors", "label") if name in table.column_names]
    columns = table.select(wanted).to_pydict()
    for name in needed:
        if None in columns[name]:
            raise TableError(
                f"expected a value in every row of column {name} of {path}, found none in row "
                f"{columns[name].index(None)}"
            )
    columns["id"] = [str(value) for value in columns["id"]]
    return columns, (table.schema.metadata or {}).get(_LABELS_ARE) == _TIERS


def _check_counts(ids: Sequence[str], passes: Floats, attempts: Floats) -> None:
    # Written so that NaN fails too.
    fine = (passes >= 0) & (attempts >= passes) & (attempts < np.inf)
    if not fine.all():
        wrong = int(np.argmin(fine))
        raise TableError(
            "expected 0 <= passes <= attempts in every row, found "
            f"{passes[wrong]} of {attempts[wrong]} for {ids[wrong]!r}"
        )


def _check_distinct(names: Sequence[str], advice: str) -> None:
    if num_repeats := len(names) - len(set(names)):
        raise TableError(f"expected every id once, found {num_repeats} repeats; {advice}")
