"""What became of every drawn problem, in counts that add up.

drawn = observed - undrawn_results + awaited + unanswered_draws
drawn = the sum of all fates + carried + what was not selected from
"""

from itertools import repeat
from typing import Any

from curricula.contract import Fate
from curricula.knowledge.ids import IdTable
from curricula.knowledge.tiers import Indices


class Accounts:
    """Counts of the whole run and of the running step, and the problems that are still open.

    awaited: the index of each drawn problem, by id, whose result has not come yet.
    carried: the index of each problem, by id, whose group was kept for the next step.
    """

    def __init__(self) -> None:
        self.awaited: dict[str, int] = {}
        self.carried: dict[str, int] = {}
        self._counts = dict.fromkeys(
            (
                *("drawn", "observed", "valid", "errored", "undrawn_results"),
                *("relaxed_draws", "missing_draws", "displaced_draws", "unanswered_draws"),
                *("unfilled_quota", "forgotten", "edited", "foreign_rows"),
                *(f"fate_{fate}" for fate in Fate if fate is not Fate.CARRIED),
            ),
            0,
        )
        self._in_step = {"known": 0, "valid": 0}

    @property
    def valid_in_step(self) -> int:
        """The valid groups of the running step."""
        return self._in_step["valid"]

    def begin_step(self) -> None:
        """Start to count a new step."""
        self._in_step = dict.fromkeys(self._in_step, 0)

    def add(self, **counts: int) -> None:
        """Add to counts of the whole run."""
        for name, count in counts.items():
            self._counts[name] += count

    def draw(self, names: list[str], indices: Indices) -> None:
        """Await the results of these problems; a draw that was still awaited stays unanswered."""
        expected = len(self.awaited) + len(names)
        self.awaited.update(zip(names, indices.tolist(), strict=True))
        self.add(drawn=len(names), unanswered_draws=expected - len(self.awaited))

    def observe(self, names: list[str], *, num_known: int, num_valid: int) -> None:
        """Count results of these problems: of `num_known` it is known whether they are valid."""
        was_awaited = list(map(self.awaited.pop, names, repeat(None)))
        self._in_step["known"] += num_known
        self._in_step["valid"] += num_valid
        self.add(
            undrawn_results=was_awaited.count(None),
            observed=len(names),
            valid=num_valid,
            errored=len(names) - num_known,
        )

    def decide(self, fates: dict[str, Fate]) -> None:
        """Count the fates of groups; that of a carried one is not decided yet."""
        for fate in fates.values():
            if fate is not Fate.CARRIED:
                self._counts[f"fate_{fate}"] += 1

    def move_to(self, ids: IdTable, edited: set[str]) -> None:
        """Go over to another problem set: what is gone from it or was edited is closed.

        Awaited draws of such problems count as unanswered, their carried groups as surplus.
        """
        num_awaited, num_carried = len(self.awaited), len(self.carried)
        self.awaited = _still_there(self.awaited, ids, edited)
        self.carried = _still_there(self.carried, ids, edited)
        self.add(
            unanswered_draws=num_awaited - len(self.awaited),
            fate_surplus=num_carried - len(self.carried),
        )

    def valid_rate(self) -> dict[str, float]:
        """Return the share of valid groups in the running step, if any is known."""
        known = self._in_step["known"]
        return {"valid_rate": self._in_step["valid"] / known} if known else {}

    def metrics(self) -> dict[str, float]:
        """Return the counts of the whole run, and how many problems are still open."""
        return {
            **{f"num_{name}": float(count) for name, count in self._counts.items()},
            "num_awaited": float(len(self.awaited)),
            "num_carried": float(len(self.carried)),
        }

    def state(self) -> dict[str, Any]:
        """Return what a saved state needs of this object."""
        return {
            "awaited": dict(self.awaited),
            "carried": dict(self.carried),
            "counts": dict(self._counts),
            "in_step": dict(self._in_step),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state()` returned."""
        self.awaited, self.carried = dict(state["awaited"]), dict(state["carried"])
        self._counts, self._in_step = dict(state["counts"]), dict(state["in_step"])


def _still_there(indices: dict[str, int], ids: IdTable, edited: set[str]) -> dict[str, int]:
    names = [name for name in indices if name not in edited]
    found = zip(names, ids.find(names).tolist(), strict=True)
    return {name: index for name, index in found if index >= 0}
