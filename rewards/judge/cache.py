"""Judgements kept on disk, shared by the worker processes of a run."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


class JudgementCache:
    """Keeps what was judged of which request, in an SQLite file."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with self._open() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS judgements (asked TEXT PRIMARY KEY, correct INT)"
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of this call alone, so that threads and processes may share the file."""
        with closing(sqlite3.connect(self._path, timeout=10.0)) as database, database:
            yield database

    @staticmethod
    def key(model: str, messages: list[dict[str, str]]) -> str:
        """Return a hash of everything that the reply depends on."""
        request = json.dumps([model, messages], sort_keys=True)
        return hashlib.sha256(request.encode()).hexdigest()

    def get(self, key: str) -> bool | None:
        """Return what was judged under ``key``, or None."""
        with self._open() as database:
            row = database.execute(
                "SELECT correct FROM judgements WHERE asked = ?", (key,)
            ).fetchone()
        return None if row is None else bool(row[0])

    def put(self, key: str, correct: bool) -> None:
        """Keep a judgement under ``key``."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?)", (key, int(correct)))
