"""How far ahead the overlapped schedule collects, held against a learner that is slow."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from rlcs.training import overlap

NUM_STEPS = 6


@pytest.mark.parametrize("max_staleness", [1, 2, 4])
def test_it_collects_as_far_ahead_as_it_may(
    max_staleness: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background thread has all the time it wants: only the bound holds it back."""
    trainer = SimpleNamespace(
        config=SimpleNamespace(
            run=SimpleNamespace(num_steps=NUM_STEPS),
            schedule=SimpleNamespace(max_staleness=max_staleness),
        ),
        state=SimpleNamespace(steps_done=0, ahead=[]),
        workers=SimpleNamespace(rollouts=SimpleNamespace(stop=lambda: None)),
    )
    leads = {}

    def collect(trainer: SimpleNamespace, step: int) -> SimpleNamespace:
        leads[step] = step - 1 - trainer.state.steps_done
        return SimpleNamespace(step=step)

    def update(trainer: SimpleNamespace, batch: SimpleNamespace, watch: object) -> int:
        until = time.monotonic() + 10
        while not all(future.done() for future in schedule._ahead) and time.monotonic() < until:
            time.sleep(0.001)
        trainer.state.steps_done = batch.step
        return batch.step

    monkeypatch.setattr(overlap, "collect", collect)
    monkeypatch.setattr(overlap, "update", update)
    schedule = overlap.Overlapped(trainer)
    assert [schedule.take_step() for _ in range(NUM_STEPS)] == list(range(1, NUM_STEPS + 1))
    schedule.close()
    assert leads == {step: min(step - 1, max_staleness) for step in range(1, NUM_STEPS + 1)}
