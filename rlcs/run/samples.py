"""Some completions of a step as a table, for services that show tables and pictures.

Columns bear the names of OpenTelemetry's conventions for generative AI where those have one (a
draft: https://opentelemetry.io/docs/specs/semconv/gen-ai/), and our own elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rewards.shown import shown
from rlcs.types import Image, RolloutGroup

if TYPE_CHECKING:
    import PIL.Image

EVERY_STEPS = 10
"""Steps from one table to the next; the first step has one."""
MOST_GROUPS = 8
LONGEST_SIDE = 512
"""Pixels of a picture; a larger one is made smaller."""

COLUMNS = (
    *("problem_id", "question", "completion", "passed"),
    *("gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"),
    *("gen_ai.evaluation.explanation", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    "gen_ai.response.finish_reasons",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """At most two completions of some groups: where there is one, a pass beside a failure."""

    step: int
    rows: list[dict[str, Any]]
    """With :data:`COLUMNS`; texts as a terminal would show them, None where nothing is known."""
    pictures: list[bytes | None]
    """The first picture of each row's problem, encoded, where it has one."""

    def opened(self) -> list[PIL.Image.Image | None]:
        """The pictures as Pillow has them, none larger than :data:`LONGEST_SIDE`."""
        return [None if each is None else _opened(each) for each in self.pictures]


def samples_of(step: int, groups: Sequence[RolloutGroup]) -> Samples | None:
    """The completions of ``step`` to show; None where this step has no table."""
    if (step - 1) % EVERY_STEPS or not groups:
        return None
    chosen = [(group, at) for group in groups[:MOST_GROUPS] for at in _two_of(group)]
    return Samples(
        step=step,
        rows=[_row(group, at) for group, at in chosen],
        pictures=[_picture(group) for group, _ in chosen],
    )


def _two_of(group: RolloutGroup) -> list[int]:
    passed, failed = np.flatnonzero(group.passed), np.flatnonzero(~group.passed)
    return sorted(int(each[0]) for each in (passed, failed) if each.size)


def _row(group: RolloutGroup, at: int) -> dict[str, Any]:
    completion, verdict, reward = group.completions[at], group.verdicts[at], group.rewards[at]
    values = (
        group.problem.problem_id,
        group.problem.question,
        completion.text,
        bool(group.passed[at]),
        group.problem.domain,
        None if np.isnan(reward) else float(reward),
        verdict.outcome.value,
        verdict.detail,
        len(group.prompt.token_ids),
        len(completion.token_ids),
        completion.finish_reason.value,
    )
    return {
        name: shown(value) if isinstance(value, str) else value
        for name, value in zip(COLUMNS, values, strict=True)
    }


def _picture(group: RolloutGroup) -> bytes | None:
    for image in group.problem.images:
        if isinstance(image, Image):
            try:
                return image.read()
            except OSError:  # its file has gone since the run began
                return None
    return None


def _opened(encoded: bytes) -> PIL.Image.Image:
    import PIL.Image

    with PIL.Image.open(io.BytesIO(encoded)) as image:
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return image.convert("RGB")
