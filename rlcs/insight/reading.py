"""Reading a run's files into its cache: only what is new, and for a moment at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rlcs.insight import completions, derived
from rlcs.insight.folders import file_inside
from rlcs.insight.lines import fingerprint, read_lines, to_rows, to_table
from rlcs.insight.numbers import numbers_of
from rlcs.insight.schema import GROUPS
from rlcs.insight.store import Store
from rlcs.run.problem_file import PROBLEMS_NAME

LOGS = ("steps", "groups")
_FILES_AT_ONCE = 64
PATIENCE_SECONDS = 0.2
"""That a page waits for another thread's reading."""


class Reader:
    """Brings the tables of ``store`` up to what the files in ``folder`` hold."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self._derived_seconds = 0.0
        self._derived_at = 0.0

    def read_steps(self) -> None:
        """Read the new rows of ``steps.jsonl``: all that the first view needs.

        Where another thread is reading the run, and a first look was had, its work is not waited
        for: it reads these rows too.
        """
        seen = self.store.note("steps.position") is not None
        if not self.store.writing.acquire(timeout=PATIENCE_SECONDS if seen else -1):
            return
        try:
            self._check_same()
            while self._read_log("steps"):
                pass
        finally:
            self.store.writing.release()

    def read_problems(self) -> None:
        """Read the run's problems where that was not done yet."""
        with self.store.writing:
            self._check_same()
            self._read_problems()

    def read_draws(self) -> None:
        """Read all that is new but the completions, however long that takes."""
        with self.store.writing:
            self._check_same()
            self._read_problems()
            for log in LOGS:
                while self._read_log(log):
                    pass
            self._derive(seldom=False)

    def read(self, seconds: float) -> bool:
        """Read what is new, for about so many ``seconds``; returns whether there is more."""
        deadline = time.monotonic() + seconds
        with self.store.writing:
            self._check_same()
            self._read_problems()
            for log in LOGS:
                while self._read_log(log):
                    if time.monotonic() > deadline:
                        return True
            for batch in self._unread_batches():
                self._read_completions(batch)
                if time.monotonic() > deadline:
                    break
            self._derive(seldom=True)
            return bool(self._unread_steps())

    def _check_same(self) -> None:
        """Start anew where a log was cut or replaced, as resuming a run does."""
        for log in LOGS:
            position = int(self.store.note(f"{log}.position") or 0)
            if not position:
                continue
            path = file_inside(self.folder, f"log/{log}.jsonl")
            same = path is not None and path.stat().st_size >= position
            if not same or fingerprint(path, position) != self.store.note(f"{log}.print"):  # type: ignore[arg-type]
                self.store.forget()
                return

    def _read_log(self, log: str) -> bool:
        """Read a chunk of a log; returns whether there is more."""
        path = file_inside(self.folder, f"log/{log}.jsonl")
        if path is None:
            return False
        start = int(self.store.note(f"{log}.position") or 0)
        lines = read_lines(path, start)
        if lines.end == start:
            return False
        with self.store.transaction() as cursor:
            add = self._add_steps if log == "steps" else self._add_groups
            bad = add(cursor, lines.content) + int(self.store.note(f"{log}.bad") or 0)
            self.store.set_notes(
                cursor,
                {
                    f"{log}.position": lines.end,
                    f"{log}.print": fingerprint(path, lines.end),
                    f"{log}.bad": bad,
                },
            )
        return lines.more

    def _add_steps(self, cursor: duckdb.DuckDBPyConnection, content: bytes) -> int:
        rows, bad = to_rows(content)
        steps, numbers = numbers_of(rows)
        self.store.add(cursor, "steps", steps)
        self.store.add(cursor, "numbers", numbers)
        return bad + len(rows) - len(steps)

    def _add_groups(self, cursor: duckdb.DuckDBPyConnection, content: bytes) -> int:
        table, bad = to_table(content, GROUPS)
        self.store.add(cursor, "groups", table)
        return bad

    def _read_problems(self) -> None:
        """Read the problems once, and again where their file was replaced."""
        path = file_inside(self.folder, PROBLEMS_NAME)
        if path is None:
            return
        status = path.stat()
        seen = f"{status.st_size} {status.st_mtime_ns}"
        if self.store.note("problems") == seen:
            return
        with self.store.transaction() as cursor:
            cursor.execute("DELETE FROM problems")
            with suppress(pa.ArrowException, OSError, ValueError):
                self._add_problems(cursor, path)
            self.store.set_notes(cursor, {"problems": seen})
        self._derived_at = 0.0

    def _add_problems(self, cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
        names = (
            *("problem_id", "split", "domain", "category", "prior_pass_rate", "question"),
            "reference",
        )
        place = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=20_000, columns=list(names)):
                table = pa.Table.from_batches([batch])
                places = pa.array(range(place, place + len(table)), pa.int64())
                self.store.add(cursor, "problems", table.append_column("place", places))
                place += len(table)

    def _unread_steps(self) -> list[int]:
        """Steps whose completions wait to be read; their groups were read before."""
        last = self.store.value("SELECT max(step) FROM steps")
        if last is None:
            return []
        read = {row["step"] for row in self.store.rows("SELECT step FROM read_files")}
        kept = completions.steps_kept(self.folder)
        return [step for step in kept if step <= last and step not in read]

    def _unread_batches(self) -> Iterator[list[int]]:
        steps = self._unread_steps()
        for at in range(0, len(steps), _FILES_AT_ONCE):
            yield steps[at : at + _FILES_AT_ONCE]

    def _read_completions(self, steps: list[int]) -> None:
        tables, reasons = [], dict.fromkeys(steps, "")
        for step in steps:
            try:
                tables.append(completions.read_file(self.folder, step))
            except (pa.ArrowException, OSError, ValueError) as error:
                reasons[step] = str(error)[:300]
        with self.store.transaction() as cursor:
            if tables:
                completions.add(cursor, pa.concat_tables(tables))
            files: list[dict[str, Any]] = [
                {"step": step, "readable": not reason, "reason": reason}
                for step, reason in reasons.items()
            ]
            self.store.add(cursor, "read_files", pa.Table.from_pylist(files))

    def _derive(self, *, seldom: bool) -> None:
        """Make the derived tables anew; where that may be ``seldom``, the more so the longer it
        takes."""
        state = str(
            self.store.rows(
                "SELECT (SELECT count(*) FROM groups) g, (SELECT count(*) FROM problems) p, "
                "(SELECT count(*) FROM read_files) f"
            )
        )
        now = time.monotonic()
        waiting = self._derived_at and now - self._derived_at < 20 * self._derived_seconds
        if state == self.store.note("derived") or (seldom and waiting):
            return
        with self.store.transaction() as cursor:
            derived.make(cursor)
            self.store.set_notes(cursor, {"derived": state})
        self._derived_at = time.monotonic()
        self._derived_seconds = self._derived_at - now
