"""Problems: a page of the table of all of them, sorted, filtered and searched in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlcs.insight.folders import file_inside
from rlcs.insight.run import Run
from rlcs.run.problem_file import MOST_TEXTS, PROBLEMS_NAME

COLUMNS = {
    "problem_id": "problem",
    "question": "question",
    "domain": "domain",
    "category": "category",
    "tier": "tier when last drawn",
    "draws": "draws",
    "trained": "trained on",
    "pass_rate": "pass rate, all draws",
    "first_rate": "first pass rate",
    "last_rate": "last pass rate",
    "prior_pass_rate": "pass rate before the run",
    "attempts": "judged completions",
    "errors": "our failures",
    "tokens": "tokens",
    "first_solved": "first solved in step",
    "last_step": "last drawn in step",
}
"""The columns of the table and their titles; rates are shares in [0, 1]."""

_TEXTS = ("problem_id", "question", "domain", "category", "tier")
_COMPARISONS = {
    "equals": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
NO_FILE = (
    "This run has no problems.parquet: the texts, and the problems that were never drawn, are "
    "missing. Runs of this version of rlcs keep it."
)
LEFT_OUT = (
    f"Of more than {MOST_TEXTS:,} problems, problems.parquet keeps who they are and leaves their "
    "texts out, which are in the run's data: look there for the id. Texts of completions are kept."
)
NOT_READ = "The run's problems.parquet is being read, or is damaged: look again in a moment."
"""Why there are no texts of problems, and what to do."""

QUESTION_CHARACTERS = 200
MOST_ROWS = 1_000
"""Of one page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Rows of the table from the one asked for on, and how many there are in all."""

    rows: list[dict[str, Any]]
    number: int


def texts(run: Run) -> bool | None:
    """Whether the run kept the texts of its problems; None where it kept no problems at all."""
    row = run.store.rows(
        "SELECT EXISTS (SELECT 1 FROM problems) AS some, "
        "EXISTS (SELECT 1 FROM problems WHERE question IS NOT NULL) AS texts"
    )[0]
    return bool(row["texts"]) if row["some"] else None


def missing(run: Run) -> str:
    """Why the run's problems have no texts, in a sentence; empty where they have."""
    kept = texts(run)
    if kept is None and file_inside(run.folder, PROBLEMS_NAME) is not None:
        return NOT_READ
    return {None: NO_FILE, False: LEFT_OUT, True: ""}[kept]


def page(
    run: Run,
    *,
    start: int = 0,
    count: int = 100,
    search: str = "",
    sort: Sequence[Mapping[str, Any]] = (),
    filters: Mapping[str, Mapping[str, Any]] | None = None,
) -> Page:
    """The problems ``start`` to ``start + count`` of those that match.

    ``search`` is looked for in ids and questions. ``sort`` is ``{"colId", "sort"}`` for each
    column, ``filters`` AG Grid's filter model by column; what is no known column or comparison is
    left out, and no text of either becomes part of a query.
    """
    conditions, values = _conditions(search, filters or {})
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join(
        f"{each['colId']} {'DESC' if each.get('sort') == 'desc' else 'ASC'} NULLS LAST"
        for each in sort
        if each.get("colId") in COLUMNS
    )
    columns = ", ".join(
        f"left(question, {QUESTION_CHARACTERS}) AS question" if name == "question" else name
        for name in COLUMNS
    )
    rows = run.store.rows(
        f"SELECT {columns} FROM problem_summary {where} "
        f"ORDER BY {order + ', ' if order else 'draws DESC, '}problem_id LIMIT ? OFFSET ?",
        [*values, max(0, min(count, MOST_ROWS)), max(0, start)],
    )
    number = run.store.value(f"SELECT count(*) FROM problem_summary {where}", values)
    return Page(rows=rows, number=int(number or 0))


def _conditions(
    search: str, filters: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if search:
        conditions.append("(contains(lower(problem_id), ?) OR contains(lower(question), ?))")
        values += [search.lower(), search.lower()]
    for name, wanted in filters.items():
        if name not in COLUMNS or not isinstance(wanted, Mapping):
            continue
        add = _text_condition if name in _TEXTS else _number_condition
        if (condition := add(name, wanted)) is not None:
            conditions.append(condition[0])
            values += condition[1]
    return conditions, values


def _text_condition(name: str, wanted: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    text = str(wanted.get("filter", "")).lower()
    lowered = f"lower({name})"
    kinds = {
        "contains": f"contains({lowered}, ?)",
        "notContains": f"NOT contains({lowered}, ?)",
        "equals": f"{lowered} = ?",
        "notEqual": f"{lowered} <> ?",
        "startsWith": f"starts_with({lowered}, ?)",
        "endsWith": f"ends_with({lowered}, ?)",
    }
    kind = wanted.get("type")
    if kind in ("blank", "notBlank"):
        return (f"coalesce({name}, '') {'=' if kind == 'blank' else '<>'} ''", [])
    return (kinds[kind], [text]) if kind in kinds else None


def _number_condition(name: str, wanted: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    kind, low, high = wanted.get("type"), wanted.get("filter"), wanted.get("filterTo")
    if kind in ("blank", "notBlank"):
        return (f"{name} IS {'' if kind == 'blank' else 'NOT '}NULL", [])
    if not isinstance(low, int | float):
        return None
    if kind == "inRange" and isinstance(high, int | float):
        return f"{name} BETWEEN ? AND ?", [low, high]
    return (f"{name} {_COMPARISONS[kind]} ?", [low]) if kind in _COMPARISONS else None
