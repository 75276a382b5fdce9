"""The cache of one run: what was read of its files, as tables that answer at once.

A DuckDB database in the user's cache folder (``~/.cache/rlcs/insight``, or under XDG_CACHE_HOME),
never in the run folder. It holds nothing that the run's files do not: removing it costs a new
reading. A process has its database for itself; a second one beside it takes another.

The database is cut off from the file system and from the network, so that no text of a run could
make it read or fetch anything.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rlcs.insight.schema import TABLES, VERSION

MEMORY = "640MB"
"""Of one run's database; beyond that DuckDB works on disk."""
_MOST_SLOTS = 8


class Store:
    """The tables of one run. Readers and the one writer may be different threads."""

    def __init__(self, folder: Path, *, cache: Path | None = None) -> None:
        """Open the cache of the run in ``folder``; ``cache`` is the folder of all caches."""
        self._connection = _open(folder, cache or default_cache())
        self._using = threading.Lock()
        """Held by whoever calls the connection itself, which takes one call at a time."""
        self.writing = threading.Lock()
        """Held by whoever reads the run's files into the tables."""
        self._prepare()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """What a query returns, a dictionary a row."""
        with self._cursor() as cursor:
            found = cursor.execute(sql, parameters)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def columns(self, sql: str, parameters: Sequence[Any] = ()) -> dict[str, np.ndarray]:
        """What a query returns, an array a column; numbers that are null are NaN."""
        with self._cursor() as cursor:
            found = cursor.execute(sql, parameters).fetchnumpy()
        return {name: _array(column) for name, column in found.items()}

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The one value that a query returns, None where there is no row."""
        with self._cursor() as cursor:
            row = cursor.execute(sql, parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor whose changes are all made when the block ends, or none."""
        with self._cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
            except BaseException:
                with suppress(duckdb.Error):
                    cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def add(self, cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        """Append ``rows`` to ``table``, by the names of their columns."""
        cursor.register("fresh_rows", rows)
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM fresh_rows")
        cursor.unregister("fresh_rows")

    def note(self, name: str) -> str | None:
        """What :meth:`set_notes` kept under ``name``."""
        found = self.value("SELECT value FROM notes WHERE name = ?", [name])
        return None if found is None else str(found)

    def set_notes(self, cursor: duckdb.DuckDBPyConnection, notes: Mapping[str, object]) -> None:
        """Keep short texts beside the tables."""
        for name, value in notes.items():
            cursor.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, str(value)])

    def forget(self) -> None:
        """Empty all tables: the run's files are no longer those that were read."""
        with self.transaction() as cursor:
            for name in TABLES:
                cursor.execute(f"DROP TABLE IF EXISTS {name}")
            _create(cursor)
            self.set_notes(cursor, {"version": VERSION})

    def close(self) -> None:
        """Close the database, when what is being read is in it."""
        with self.writing, self._using:
            self._connection.close()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._using:
            cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _prepare(self) -> None:
        with self.transaction() as cursor:
            _create(cursor)
        if self.note("version") != str(VERSION):
            self.forget()


def default_cache() -> Path:
    """The folder in which the caches of all runs lie."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "rlcs" / "insight"


def _create(cursor: duckdb.DuckDBPyConnection) -> None:
    for name, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")


def _open(folder: Path, cache: Path) -> duckdb.DuckDBPyConnection:
    """A database on disk for this process alone; in memory where no disk takes one."""
    key = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:20]
    try:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return _connect(":memory:")
    for slot in range(_MOST_SLOTS):
        path = cache / f"{key}-{slot}.duckdb"
        try:
            return _connect(str(path))
        except duckdb.IOException as error:
            if "lock" in str(error).lower():  # another process has it
                continue
            _remove(path)
        except duckdb.Error:  # written by another version, or damaged
            _remove(path)
        with suppress(duckdb.Error):
            return _connect(str(path))
    return _connect(":memory:")


def _remove(path: Path) -> None:
    for each in (path, path.with_name(path.name + ".wal")):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        path,
        config={
            "memory_limit": MEMORY,
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            "enable_external_access": False,
        },
    )
    connection.execute("SET lock_configuration = true")
    return connection


def _array(column: np.ndarray) -> np.ndarray:
    """Without a mask: what is null is NaN in numbers and None in texts."""
    if not isinstance(column, np.ma.MaskedArray):
        return column
    numeric = column.dtype.kind in "iufb"
    found = np.array(column.data, dtype=np.float64 if numeric else object)
    found[np.ma.getmaskarray(column)] = np.nan if numeric else None
    return found
