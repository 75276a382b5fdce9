"""A run as the views see it: its files, its cache, and what its configuration says."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from rlcs.errors import RunFolderError
from rlcs.insight.folders import RunEntry, RunsFolder, changed_at, file_inside, state_of
from rlcs.insight.reading import Reader
from rlcs.insight.store import Store
from rlcs.run.folder import CONFIG_NAME

_MOST_BYTES = 2**22
KEPT_SECONDS = 1800.0
"""A run that nobody asked for in so long is closed."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Run:
    """One run folder, read only. Views are functions that take it."""

    def __init__(self, folder: Path, *, cache: Path | None = None) -> None:
        """Open the run in ``folder``, which :meth:`RunsFolder.folder` has checked."""
        self.folder = folder
        self.name = folder.name
        self.store = Store(folder, cache=cache)
        self.reader = Reader(folder, self.store)
        self._config: tuple[bytes, dict[str, Any]] = (b"", {})

    @property
    def state(self) -> str:
        """``running``, ``stopped``, ``finished`` or ``empty``."""
        return state_of(self.folder, changed_at(self.folder))

    def config(self) -> dict[str, Any]:
        """The configuration as plain values, nothing of it checked or run; empty without one."""
        content = self._small(CONFIG_NAME)
        if content != self._config[0]:
            try:
                found = None if _has_alias(content) else yaml.load(content, Loader=_Loader)
            except (yaml.YAMLError, RecursionError, ValueError):
                found = None
            self._config = content, found if isinstance(found, dict) else {}
        return self._config[1]

    def setting(self, path: str, default: Any = None) -> Any:
        """One value of the configuration, such as ``rollout.group_size``."""
        value: Any = self.config()
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return default if value is None else value

    def json(self, part: str) -> Any:
        """What a small JSON file of the run folder holds; None where it is missing or damaged."""
        try:
            return json.loads(self._small(part) or "null")
        except (ValueError, RecursionError):
            return None

    def json_lines(self, part: str) -> list[dict[str, Any]]:
        """The whole lines of a small JSONL file; what is no object is left out."""
        from rlcs.insight.lines import to_rows

        content = self._small(part)
        return to_rows(content[: content.rfind(b"\n") + 1])[0]

    def progress(self) -> dict[str, Any]:
        """How much of the run's files was read, and what of them could not be.

        ``steps``; ``completions_read`` and ``unreadable`` of them, steps whose completions were
        read; ``bad_lines`` by log; ``problems``: whether the run's problems are known.
        """
        found = self.store.rows(
            "SELECT (SELECT count(*) FROM steps) steps, (SELECT count(*) FROM read_files) read, "
            "(SELECT count(*) FROM read_files WHERE NOT readable) unreadable, "
            "(SELECT count(*) FROM problems) problems, (SELECT count(*) FROM groups) groups"
        )[0]
        return {
            "steps": found["steps"],
            "groups": found["groups"],
            "completions_read": found["read"],
            "unreadable": found["unreadable"],
            "problems": found["problems"] > 0,
            "bad_lines": {
                log: int(self.store.note(f"{log}.bad") or 0) for log in ("steps", "groups")
            },
        }

    def close(self) -> None:
        """Close the cache."""
        self.store.close()

    def _small(self, part: str) -> bytes:
        path = file_inside(self.folder, part)
        if path is None:
            return b""
        try:
            with path.open("rb") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return b""


def _has_alias(content: bytes) -> bool:
    """Whether a part stands for another: no trainer writes that, and such parts can grow without
    bound when they are looked through."""
    events = yaml.parse(content, Loader=_Loader)
    return b"*" in content and any(isinstance(event, yaml.AliasEvent) for event in events)


def only_run(path: Path, *, cache: Path | None = None) -> Run:
    """The one run whose folder is ``path``, which the user named.

    Raises:
        RunFolderError: there is no run, or something in it leads out of it.
    """
    found = RunsFolder(path)
    if found.only is None:
        names = [entry.name for entry in found.runs()][:5]
        raise RunFolderError(
            f"expected a run folder at {path}, found a folder with "
            f"{'the runs ' + ', '.join(names) if names else 'no run'}. Name a run, for example "
            f"{path / (names[0] if names else 'quickstart')}."
        )
    return Run(found.folder(found.only), cache=cache)


class Runs:
    """The runs of a folder, each opened once and closed when nobody asked for it for a while."""

    def __init__(self, path: Path, *, cache: Path | None = None) -> None:
        """Take a folder with runs, or one run folder.

        Raises:
            RunFolderError: there is no such folder.
        """
        self.folder = RunsFolder(path)
        self._cache = cache
        self._opening = threading.Lock()
        self._open: dict[str, Run] = {}
        self._asked: dict[str, float] = {}

    def entries(self) -> list[RunEntry]:
        """Every run of the folder, the one that wrote last first."""
        return self.folder.runs()

    def run(self, name: str) -> Run:
        """The run ``name``, opened where it was not.

        Raises:
            RunFolderError: there is none, or it leads out of the folder.
        """
        with self._opening:
            self._close_unasked()
            if name in self._open and not self._open[name].folder.is_dir():
                self._open.pop(name).close()
            if name not in self._open:
                self._open[name] = Run(self.folder.folder(name), cache=self._cache)
            self._asked[name] = time.monotonic()
            return self._open[name]

    def _close_unasked(self) -> None:
        now = time.monotonic()
        for name in [each for each in self._open if now - self._asked[each] > KEPT_SECONDS]:
            self._open.pop(name).close()

    def asked_lately(self, seconds: float) -> list[Run]:
        """The runs that were asked for in the last ``seconds``, to be kept up to date."""
        now = time.monotonic()
        return [
            run
            for name, run in list(self._open.items())
            if now - self._asked.get(name, 0.0) < seconds
        ]

    def close(self) -> None:
        """Close all runs."""
        for run in self._open.values():
            run.close()
        self._open.clear()
