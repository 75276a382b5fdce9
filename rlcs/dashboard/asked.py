"""What the address of a page asks for: a view, its runs and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from rlcs.dashboard.context import Context
from rlcs.dashboard.parts import address
from rlcs.insight import Run

MOST_RUNS = 8
"""That a page compares."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One page: the parameters of its address, and the runs that they name and that are there."""

    parameters: dict[str, list[str]]
    runs: list[Run]
    missing: list[str]
    """Names of runs that are gone, or refused."""

    @property
    def run(self) -> Run | None:
        """The run that a view of one run shows."""
        return self.runs[0] if self.runs else None

    def text(self, name: str, default: str = "") -> str:
        """One parameter."""
        return self.parameters.get(name, [default])[0]

    def choice(self, name: str, allowed: object, default: str) -> str:
        """One parameter that is one of ``allowed``, a container of texts."""
        value = self.text(name, default)
        return value if value in allowed else default  # type: ignore[operator]

    def changed(self, view: str, **parameters: str | list[str]) -> str:
        """The address of ``view`` with what this page asks for, but for ``parameters``."""
        runs = [run.name for run in self.runs]
        return address(view, **{**self.parameters, "run": runs, **parameters})

    def number(self, name: str, default: float) -> float:
        """One parameter as a number of at least 0."""
        try:
            value = float(self.text(name, str(default)))
        except ValueError:
            return default
        return value if 0 <= value < 1e15 else default


def read_address(context: Context, search: str | None) -> Asked:
    """What the part of an address behind ``?`` asks for; without a run, the one that wrote last."""
    try:
        parameters = parse_qs(
            (search or "").removeprefix("?"), errors="surrogateescape", max_num_fields=50
        )
    except ValueError:
        parameters = {}
    parameters.pop("view", None)  # the one name that :func:`address` has for itself
    names = list(dict.fromkeys(parameters.get("run", [])))[:MOST_RUNS]
    if not names:
        usable = [entry for entry in context.runs.entries() if entry.state != "refused"]
        names = [entry.name for entry in usable[:1]]
    found = {name: context.run(name) for name in names}
    return Asked(
        parameters=parameters,
        runs=[run for run in found.values() if run is not None],
        missing=[name for name, run in found.items() if run is None],
    )
