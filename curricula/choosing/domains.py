"""The share of the draws that each domain gets, where the weights shall not decide it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curricula.errors import SettingsError, listed
from curricula.knowledge.tiers import Floats, Indices

_MEMORY = 0.9
_CAUTION = 8.0
"""Groups without any progress that a domain is taken to have seen, against noise."""


class DomainShares(Protocol):
    """Decides the share of each domain in the draws and in the training batch."""

    def shares(self) -> Floats | None:
        """Return the shares of the running step, [domains]; None leaves them to the weights."""
        ...

    def of_draw(self, count: int) -> Floats | None:
        """Return the shares of `count` further groups of the running step, [domains], or None.

        At first these are `shares()`. In a refill each domain gets what its valid groups lack of
        its part of the batch, so that the batch keeps the shares although domains fail unevenly.
        """
        ...

    def observe(self, domains: Indices, gains: Floats, valid: NDArray[np.bool_]) -> None:
        """Take in groups: the domain of each, its gain over its bucket's pass rate, if it is valid.

        They are of the running step.
        """
        ...

    def end_step(self) -> None:
        """Close the running step: what was observed in it may change the shares of the next."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        ...


class _KeptInRefills(ABC):
    """Counts the valid groups of the running step by domain."""

    def __init__(self, num_domains: int) -> None:
        self._valid = np.zeros(num_domains)

    @abstractmethod
    def shares(self) -> Floats | None:
        """Return the shares of the running step, [domains], or None."""

    def of_draw(self, count: int) -> Floats | None:
        """Return the shares of further groups: the shares of all, less what is valid already."""
        shares, num_valid = self.shares(), self._valid.sum()
        if shares is None or not num_valid:
            return shares
        lacking = np.maximum(0.0, shares * (count + num_valid) - self._valid)
        return np.asarray(lacking / lacking.sum())

    def observe(self, domains: Indices, gains: Floats, valid: NDArray[np.bool_]) -> None:
        """Count valid groups, where there are shares to keep."""
        if len(self._valid):
            self._valid += np.bincount(domains[valid], minlength=len(self._valid))

    def end_step(self) -> None:
        """Close the running step: the next has no valid group yet."""
        self._valid[:] = 0

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {"valid": self._valid.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self._valid = state["valid"].copy()


class FixedShares(_KeptInRefills):
    """Shares that never change; without any `ratios` they are left to the weights."""

    def __init__(self, names: Sequence[str], ratios: Mapping[str, float]) -> None:
        super().__init__(len(names) if ratios else 0)
        self._shares = _normalised(names, ratios) if ratios else None

    def shares(self) -> Floats | None:
        """Return the shares, [domains], or None when no ratios were given."""
        return self._shares


class ProgressShares(_KeptInRefills):
    """Gives a domain the more, the more its pass rates move (absolute learning progress).

        progress   = |mean gain over the running rate|, discounted, shrunk towards zero
        share      = floor + (1 - floor * domains) * progress / sum of progress

    The shares stay as they are within a step, so that selection keeps those of the draw.
    Falling pass rates count as well: what is being forgotten needs practice. The idea is that of
    automated curriculum learning by learning progress (arXiv 1704.03003).
    """

    def __init__(self, num_domains: int, floor: float) -> None:
        if floor * num_domains > 1:
            raise SettingsError(
                f"expected domain_floor of at most 1 / {num_domains} (the number of domains), "
                f"found {floor}"
            )
        super().__init__(num_domains)
        self._floor = floor
        self._gains = np.zeros(num_domains)
        self._groups = np.zeros(num_domains)
        self._new = np.zeros((2, num_domains))

    def shares(self) -> Floats | None:
        """Return the shares of the running step, [domains], by the progress before it."""
        progress = np.abs(self._gains) / (self._groups + _CAUTION) + 1e-6
        free = 1 - self._floor * len(progress)
        return np.asarray(self._floor + free * progress / progress.sum())

    def observe(self, domains: Indices, gains: Floats, valid: NDArray[np.bool_]) -> None:
        """Take in groups of the running step; their gains count from the next step on."""
        super().observe(domains, gains, valid)
        num = len(self._gains)
        self._new[0] += np.bincount(domains, gains, minlength=num)
        self._new[1] += np.bincount(domains, minlength=num)

    def end_step(self) -> None:
        """Close the running step: its groups enter the discounted sums."""
        super().end_step()
        if self._new[1].any():
            self._gains = _MEMORY * self._gains + self._new[0]
            self._groups = _MEMORY * self._groups + self._new[1]
            self._new[:] = 0

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        sums = {"gains": self._gains, "groups": self._groups, "new": self._new}
        return {**super().state(), **{name: values.copy() for name, values in sums.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        super().restore(state)
        self._gains, self._groups = state["gains"].copy(), state["groups"].copy()
        self._new = state["new"].copy()


def _normalised(names: Sequence[str], ratios: Mapping[str, float]) -> Floats:
    if foreign := sorted(set(ratios) - set(names)):
        raise SettingsError(
            f"expected domain_ratios of the problems' domains ({listed(names)}), "
            f"found {listed(foreign)}, of which there are no problems; correct or remove them"
        )
    if missing := [name for name in names if name not in ratios]:
        raise SettingsError(
            f"expected a ratio for every domain, found none for {listed(missing)}; "
            "give 0 to a domain that shall not be drawn"
        )
    values = np.array([ratios[name] for name in names], dtype=np.float64)
    if values.sum() <= 0:
        raise SettingsError("expected a domain_ratio above 0, found only zeros")
    return np.asarray(values / values.sum())
