"""Verifiers a user might bring: good, slow, stuck and broken ones."""

from __future__ import annotations

import os
import re
import time

from rewards import Outcome, Request, Verdict


def _fine() -> Verdict:
    return Verdict(outcome=Outcome.CORRECT, score=1.0, extracted=None, detail="", seconds=0.0)


def sleeps(request: Request) -> Verdict:
    time.sleep(60 if request.response == "x" else float(request.response))
    return _fine()


def spins(request: Request) -> Verdict:
    re.match(r"(a+)+$", "a" * 40 + "b")  # catastrophic backtracking never releases the lock
    return _fine()


def dies(request: Request) -> Verdict:
    os._exit(3)


def raises(request: Request) -> Verdict:
    raise RuntimeError("a fault in the user's code")


def hoards(request: Request) -> Verdict:
    return Verdict(
        outcome=Outcome.CORRECT, score=1.0, extracted="x" * 2**30, detail="", seconds=0.0
    )


def prints(request: Request) -> Verdict:
    print("noise on standard output")
    return _fine()


def boasts(request: Request) -> Verdict:
    return _fine()


boasts.pass_mark = "high"  # type: ignore[attr-defined]
