"""Verifiers a user might bring, by import path."""

from __future__ import annotations

import os
import time

from rewards import Outcome, Request, Verdict


def by_length(request: Request) -> Verdict:
    """Longer is better: a score from 0 to 1. Some responses ask for trouble."""
    if request.response == "hang":
        time.sleep(60)
    if request.response == "crash":
        os._exit(3)
    if request.response == "raise":
        raise RuntimeError("a fault in the user's code")
    score = min(1.0, len(request.response) / 10)
    outcome = Outcome.CORRECT if score == 1 else Outcome.PARTIAL
    return Verdict(outcome=outcome, score=score, extracted=None, detail="", seconds=0.0)
