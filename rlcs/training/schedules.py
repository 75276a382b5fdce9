"""The schedule of a run: in which order in time a step's parts are done."""

from __future__ import annotations

from typing import Any, Protocol

from rlcs.training.loop import Trainer, train_step
from rlcs.training.overlap import Overlapped


class Schedule(Protocol):
    """Takes the steps of a run, with the parts of each in an order of its own."""

    def take_step(self) -> dict[str, Any]:
        """Take one step; returns its row of ``steps.jsonl``."""
        ...

    def settle(self) -> None:
        """Bring everything that is under way into the trainer's state, which can then be saved."""
        ...

    def close(self) -> None:
        """Give up what is under way."""
        ...


class Synchronous:
    """Does the parts of a step one after the other: between steps nothing is under way."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def take_step(self) -> dict[str, Any]:
        return train_step(self.trainer)

    def settle(self) -> None:
        pass

    def close(self) -> None:
        pass


def make_schedule(trainer: Trainer) -> Schedule:
    """Make the schedule that the configuration of ``trainer`` names."""
    overlapped = trainer.config.schedule.kind == "overlapped"
    return Overlapped(trainer) if overlapped else Synchronous(trainer)
