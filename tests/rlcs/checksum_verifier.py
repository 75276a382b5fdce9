"""A user's own verifier: what passes depends on a checksum of the text, so that a model that
was never trained solves some problems often, some seldom, and always the same way.

The reference is the percentage of texts that pass, ``raises`` for a fault in the verifier, or
``unreadable``, which does not even pass itself.
"""

from __future__ import annotations

import zlib

from rewards import Outcome, Request, Verdict


def judge(request: Request) -> Verdict:
    """Passes the reference itself, and its percentage of all texts."""
    if request.bare:
        return _verdict(request.response == str(request.reference) != "unreadable")
    checksum = zlib.crc32(f"{request.question}|{request.response}".encode())
    if request.reference == "raises":
        raise RuntimeError("a fault in the user's verifier")
    if request.reference == "raises at times":
        if checksum % 4 == 0:
            raise RuntimeError("a fault in the user's verifier")
        return _verdict(checksum % 4 == 1)
    return _verdict(checksum % 100 < int(request.reference))


def _verdict(passed: bool) -> Verdict:
    return Verdict(
        outcome=Outcome.CORRECT if passed else Outcome.WRONG,
        score=float(passed),
        extracted=None,
        detail="",
        seconds=0.0,
    )
