"""The problem by which engines show that they got the learner's weights: a text and a picture."""

from __future__ import annotations

import io

import numpy as np

from rewards.extraction import ANSWER_CLOSE, ANSWER_OPEN, THINK_CLOSE, THINK_OPEN
from rlcs.data.images import encoded_image
from rlcs.types import Image, Problem

PROBE_TEXT = (
    f"What is 12 + 30? Think first, then answer.{THINK_OPEN}Twelve and thirty make forty-two, "
    f"because 10 + 30 = 40 and 40 + 2 = 42.{THINK_CLOSE}{ANSWER_OPEN}The sum is 42.{ANSWER_CLOSE}"
)
SIDE = 56
"""The width and the height of the picture, in pixels."""


def probe_problem() -> Problem:
    """A problem whose question is the probe's text, with the probe's picture."""
    return Problem(
        problem_id="probe",
        domain="probe",
        category="probe",
        messages=({"role": "user", "content": PROBE_TEXT},),
        reference="",
        question=PROBE_TEXT,
        images=(_picture(),),
    )


def _picture() -> Image:
    """A small one of many shades."""
    import PIL.Image

    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    pixels = np.stack([4 * across, 4 * down, 2 * (across + down)], axis=-1).astype(np.uint8)
    written = io.BytesIO()
    PIL.Image.fromarray(pixels).save(written, "PNG")
    return encoded_image(written.getvalue(), name="probe")
