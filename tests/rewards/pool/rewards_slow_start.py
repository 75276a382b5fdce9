"""A verifier whose second import, and every later one, takes long."""

from __future__ import annotations

import os
import time

from rewards import Outcome, Request, Verdict

try:
    os.close(os.open(os.environ["REWARDS_SLOW_START"], os.O_CREAT | os.O_EXCL))
except FileExistsError:
    time.sleep(3)


def passes(request: Request) -> Verdict:
    return Verdict(outcome=Outcome.CORRECT, score=1.0, extracted=None, detail="", seconds=0.0)
