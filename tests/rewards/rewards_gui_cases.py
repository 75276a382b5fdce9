"""References and checks that the tables of GUI cases share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rewards import Outcome, Request
from rewards.gui.verifier import GuiSettings, GuiVerifier
from rewards.registry import Registry

SPACES: dict[str, dict[str, Any]] = {
    "norm999": {"coord": "norm999"},
    "norm1000": {"coord": "norm1000"},
    "norm1": {"coord": "norm1"},
    "pixel": {"coord": "pixel", "image_size": [1000, 800]},
}
TYPE = {"action": "type", "text": "Hello World"}
DOWN = {"action": "scroll", "direction": "down"}
COPY = {"action": "hotkey", "keys": ["ctrl", "c"]}
CHROME = {"action": "open_app", "app": "Google Chrome"}
SUCCESS = {"action": "status", "status": "success"}
FAILURE = {"action": "status", "status": "failure"}

Row = tuple[str, dict[str, Any], Sequence[str], Sequence[str]]
"""A reason, a reference, answers that pass, answers that do not."""


def target(space: str, action: str = "click") -> dict[str, Any]:
    """A box from a tenth to a fifth of a picture in a space."""
    scale = 0.001 if space == "norm1" else 1
    return {
        **SPACES[space],
        "action": action,
        "bbox": [100 * scale, 100 * scale, 200 * scale, 200 * scale],
    }


def drag(space: str) -> dict[str, Any]:
    """From the box of ``target`` to one at the other end of the picture."""
    scale = 0.001 if space == "norm1" else 1
    end = [600 * scale, 600 * scale, 700 * scale, 700 * scale]
    start = target(space)["bbox"]
    return {**SPACES[space], "action": "drag", "start_bbox": start, "end_bbox": end}


def each(dialect: str, rows: Sequence[Row]) -> pytest.MarkDecorator:
    """Every answer of a table, in its named dialect and with ``auto``."""
    return pytest.mark.parametrize(
        ("dialect", "reference", "answer", "passes"),
        [
            pytest.param(name, reference, answer, passes, id=f"{reason}-{name}-{passes}-{number}")
            for reason, reference, right, wrong in rows
            for passes, answers in ((True, right), (False, wrong))
            for number, answer in enumerate(answers)
            for name in (dialect, "auto")
        ],
    )


def judge(dialect: str, reference: Any, answer: str) -> Outcome:
    """The outcome of a bare answer."""
    registry = Registry(settings={"gui": {"dialect": dialect}})
    request = Request(domain="gui", response=answer, reference=reference, bare=True)
    return registry.judge(request).outcome


def check(dialect: str, reference: Any, answer: str, passes: bool) -> None:
    """An answer passes, or fails as the model's fault and never as ours."""
    outcome = judge(dialect, reference, answer)
    assert (outcome is Outcome.CORRECT) == passes, outcome
    assert outcome in (Outcome.CORRECT, Outcome.WRONG, Outcome.UNPARSEABLE, Outcome.NO_ANSWER)


def finding(dialect: str, reference: Any, answer: str) -> Any:
    """What a verifier finds, errors included."""
    request = Request(domain="gui", response=answer, reference=reference, bare=True)
    return GuiVerifier(GuiSettings(dialect=dialect)).judge(answer, request)  # type: ignore[arg-type]
