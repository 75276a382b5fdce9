"""The completions of a step: all of them for a view, or what is to be counted of them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rlcs.insight.folders import file_inside
from rlcs.insight.schema import COMPLETIONS, OUR_FAILURES, UNREAD

_TYPES = {
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
MOST_BYTES = 4 * 2**30
"""A larger file of one step is refused: no trainer of ours writes such a one."""

SUSPECTS_PER_STEP = 20
_NAME = re.compile(r"step_([0-9]{6,12})\.parquet")


def steps_kept(folder: Path) -> list[int]:
    """The steps whose completions lie in the run folder, in their order."""
    try:
        names = [path.name for path in (folder / "rollouts").iterdir()]
    except OSError:
        return []
    return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))


def read_file(folder: Path, step: int, *, problem_id: str | None = None) -> pa.Table:
    """The completions of ``step``, of one problem alone where it is named.

    A column that an older version of the trainer did not write is null.

    Raises:
        OSError, ValueError, pyarrow.ArrowException: the file is missing, or no such file.
    """
    path = file_inside(folder, f"rollouts/step_{step:06d}.parquet")
    if path is None:
        raise FileNotFoundError(f"expected the completions of step {step}, found no file")
    filters = None if problem_id is None else [("problem_id", "=", problem_id)]
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        if sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)) > (
            MOST_BYTES
        ):
            raise ValueError(f"expected the completions of one step, found over {MOST_BYTES} bytes")
        known = [name for name in COMPLETIONS if name in file.schema_arrow.names]
    if "problem_id" not in known:
        raise ValueError(f"expected a column problem_id, found {', '.join(known) or 'none'}")
    found = pq.read_table(path, columns=known, filters=filters, partitioning=None)
    columns = {}
    for name, kind in COMPLETIONS.items():
        wanted = _TYPES[kind]
        columns[name] = (
            found.column(name).cast(wanted) if name in known else pa.nulls(len(found), wanted)
        )
    # The file's name says which step it is; a row that says otherwise would be counted elsewhere.
    columns["step"] = pa.array([step] * len(found), pa.int64())
    return pa.table(columns)


def add(cursor: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
    """Count the completions ``rows`` into the tables that come from them."""
    cursor.register("fresh", rows)
    cursor.execute(_GROUP_FACTS)
    cursor.execute(_COUNTS)
    cursor.execute(_SUSPECTS)
    cursor.unregister("fresh")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_GROUP_FACTS = f"""
INSERT INTO group_facts
WITH wrong AS (
    SELECT step, problem_id, left(extracted, 200) AS answer, count(*) AS number
    FROM fresh
    WHERE NOT passed AND extracted <> '' AND outcome NOT IN ({_listed(OUR_FAILURES)})
    GROUP BY ALL
), top AS (
    SELECT step, problem_id, arg_max(answer, number) AS answer, max(number) AS number
    FROM wrong GROUP BY step, problem_id
)
SELECT step, problem_id, count(*),
    count(*) FILTER (finish_reason = 'length'),
    coalesce(sum(completion_tokens) FILTER (finish_reason = 'length'), 0),
    count(*) FILTER (outcome IN ({_listed(UNREAD)})),
    count(DISTINCT hash(text)),
    coalesce(sum(verifier_seconds), 0),
    any_value(top.answer), coalesce(any_value(top.number), 0)
FROM fresh LEFT JOIN top USING (step, problem_id)
GROUP BY step, problem_id
"""

_COUNTS = """
INSERT INTO completion_counts
WITH domains AS (
    SELECT step, problem_id, any_value(domain) AS domain FROM groups
    WHERE step IN (SELECT DISTINCT step FROM fresh) GROUP BY ALL
)
SELECT step, coalesce(domain, 'unknown'), outcome, finish_reason, forced,
    CASE WHEN verifier_seconds > 0
        THEN CAST(floor(log2(least(verifier_seconds, 1e6) * 1000)) AS INTEGER) ELSE -10 END,
    count(*), coalesce(sum(completion_tokens), 0), coalesce(sum(verifier_seconds), 0),
    max(verifier_seconds)
FROM fresh LEFT JOIN domains USING (step, problem_id)
GROUP BY ALL
"""

_FOREIGN = (
    "[\\x{0400}-\\x{04ff}\\x{0600}-\\x{06ff}"  # Cyrillic, Arabic
    "\\x{3040}-\\x{30ff}\\x{4e00}-\\x{9fff}\\x{ac00}-\\x{d7af}]"  # Japanese, Chinese, Korean
)

_SUSPECTS = f"""
INSERT INTO suspects
WITH marked AS (
    SELECT step, problem_id, "index" AS place, completion_tokens AS tokens, reward, passed, text,
        median(completion_tokens) FILTER (passed) OVER (PARTITION BY step) AS usual
    FROM fresh
), kinds AS (
    SELECT *, 'short and rewarded' AS kind FROM marked WHERE passed AND tokens * 4 < usual
    UNION ALL
    SELECT *, 'repeats itself' FROM marked
    WHERE length(text) > 200
        AND len(list_distinct(string_split(left(text, 20000), ' '))) * 5
            < len(string_split(left(text, 20000), ' '))
    UNION ALL
    SELECT *, 'mixes scripts' FROM marked
    WHERE regexp_matches(text, '{_FOREIGN}') AND regexp_matches(text, '[a-z]{{4}}')
)
SELECT step, problem_id, place, kind, tokens, reward FROM kinds
QUALIFY row_number() OVER (PARTITION BY step, kind ORDER BY tokens) <= {SUSPECTS_PER_STEP}
"""
