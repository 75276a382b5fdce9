"""The folder in which runs lie: which there are, and that no name leads out of it."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rlcs.errors import RunFolderError
from rlcs.run.folder import CONFIG_NAME
from rlcs.run.inside import check_inside

STEPS = Path("log") / "steps.jsonl"
QUIET_SECONDS = 600.0
"""A run without a summary that wrote nothing for so long counts as stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEntry:
    """A run as a list of runs shows it."""

    name: str
    """The name of its folder, by which it is asked for."""
    state: str
    """``running``, ``stopped``, ``finished``, ``empty`` (no step yet) or ``refused``."""
    changed: float
    """Unix time at which it last wrote, 0 where that is not known."""
    note: str = ""
    """Why it was refused."""


class RunsFolder:
    """The runs in one folder; a folder that is itself a run counts as the one run of its parent."""

    def __init__(self, path: Path) -> None:
        """Take the folder ``path``, which the user named.

        Raises:
            RunFolderError: there is no such folder.
        """
        if not path.is_dir():
            raise RunFolderError(
                f"expected a folder with runs, or a run folder, at {path}, found no folder. "
                "Name one, for example runs or runs/quickstart."
            )
        self.only = path.resolve().name if _is_run(path) else None
        """The name of the run that the folder itself is."""
        self.root = path.resolve().parent if self.only else path.resolve()

    def runs(self) -> list[RunEntry]:
        """Every run, the one that wrote last first."""
        return sorted(self._entries(), key=lambda entry: -entry.changed)

    def folder(self, name: str) -> Path:
        """The folder of the run ``name``.

        Raises:
            RunFolderError: there is none, or something in it leads out of it.
        """
        path = self.root / name
        known = "\0" not in name and name not in ("", ".", "..") and Path(name).name == name
        if not known or self.only not in (None, name) or not path.is_dir() or not _is_run(path):
            raise RunFolderError(
                f"expected the name of a run in {self.root}, found {name!r}. It may have been "
                "removed or renamed: choose another one."
            )
        if not path.resolve().is_relative_to(self.root):
            raise RunFolderError(
                f"expected a run within {self.root}, found {name!r} as a link that leads out of "
                "it. Open the folder that the link names."
            )
        check_inside(path)
        return path.resolve()

    def _entries(self) -> Iterator[RunEntry]:
        for path in self.root.iterdir():
            if self.only not in (None, path.name):
                continue
            try:
                if path.is_dir() and _is_run(path):
                    yield self._entry(path)
            except OSError:  # removed between two looks
                continue

    def _entry(self, path: Path) -> RunEntry:
        if not path.resolve().is_relative_to(self.root):
            note = "a link that leads out of the runs folder"
            return RunEntry(name=path.name, state="refused", changed=0.0, note=note)
        changed = changed_at(path)
        return RunEntry(name=path.name, state=state_of(path, changed), changed=changed)


def changed_at(folder: Path) -> float:
    """Unix time at which the run in ``folder`` last wrote."""
    times = [0.0]
    for part in (STEPS, Path(CONFIG_NAME), Path("summary.json")):
        try:
            times.append((folder / part).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def state_of(folder: Path, changed: float) -> str:
    """How far the run in ``folder`` is, which last wrote at the Unix time ``changed``."""
    if (folder / "summary.json").is_file():
        return "finished"
    if time.time() - changed < QUIET_SECONDS:
        return "running"
    return "stopped" if (folder / STEPS).is_file() else "empty"


def file_inside(folder: Path, part: str) -> Path | None:
    """The regular file ``part`` of a run folder, None where it is missing or lies elsewhere."""
    path = folder / part
    try:
        real = path.resolve(strict=True)
        regular = stat.S_ISREG(real.stat().st_mode)
    except (OSError, RuntimeError):  # RuntimeError: links that go round in a circle
        return None
    return real if regular and real.is_relative_to(folder.resolve()) else None


def _is_run(path: Path) -> bool:
    return (path / CONFIG_NAME).is_file() or (path / STEPS).is_file()
