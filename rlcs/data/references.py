"""The gold check: every reference, given as the answer, must pass its own verifier.

A reference that its verifier cannot read, or refuses, would make its problem look hopeless
for the whole run. It is found here, before a GPU starts.

Left out: references of a verifier of the user's own that are neither text nor numbers. Only that
verifier knows how an answer to one looks, so those are counted in a note instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from rewards import Request, SettingsError, VerifierPool, gold_answer
from rlcs.errors import ConfigError
from rlcs.types import Problem

UNCHECKED = ""
"""In the place of a fault: there is no answer to give to the verifier."""


def reference_faults(problems: Sequence[Problem], pool: VerifierPool) -> list[str | None]:
    """Judge the gold answer of each reference as a bare answer to its own problem.

    Returns what is wrong with each: None where it passes, ``UNCHECKED`` where nothing could be
    asked. A check that failed for our own reasons (a machine that was busy) is made twice.

    Raises:
        ConfigError: a verifier of the user's own cannot be imported.
    """
    answers = [
        gold_answer(each.domain, each.reference, pool.settings(each.domain)) for each in problems
    ]
    asked = {
        index: _request(problems[index], answer)
        for index, answer in enumerate(answers)
        if answer is not None
    }
    faults: list[str | None] = [UNCHECKED] * len(problems)
    try:
        verdicts = dict(zip(asked, pool.judge(list(asked.values())), strict=True))
        again = [index for index, verdict in verdicts.items() if verdict.ours_failed]
        verdicts.update(zip(again, pool.judge([asked[each] for each in again]), strict=True))
    except SettingsError as error:  # a verifier of the user's own that does not import
        raise ConfigError(f"scoring: {error}") from error
    for index, verdict in verdicts.items():
        problem = problems[index]
        faults[index] = (
            None
            if pool.passed(problem.domain, verdict)
            else f"expected the {problem.domain} verifier to pass the reference "
            f"{problem.reference!r}, found {verdict.outcome}: {verdict.detail}"
        )
    return faults


def _request(problem: Problem, answer: str) -> Request:
    return Request(
        domain=problem.domain,
        response=answer,
        reference=problem.reference,
        question=problem.question,
        bare=True,
    )
