"""The gold check: every reference, given as the answer, must pass its own verifier.

A reference that its verifier cannot read, or refuses, would make its problem look hopeless
for the whole run. It is found here, before a GPU starts.

Left out: references of a verifier of the user's own that are neither text nor numbers. Only that
verifier knows how an answer to one looks, so those are counted in a note instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewards import Request, SettingsError, VerifierPool, gold_answer
from rlcs.data.load import list_problems
from rlcs.errors import ConfigError, DatasetError
from rlcs.types import Problem


def check_references(problems: Sequence[Problem], pool: VerifierPool) -> list[str]:
    """Judge the gold answer of each reference as a bare answer to its own problem.

    Returns notes about references that could not be checked.

    Raises:
        DatasetError: references do not pass; the message names the id, reference and verdict of
            each (the first 20 are shown).
        ConfigError: a verifier of the user's own cannot be imported.
    """
    checked: list[Problem] = []
    requests: list[Request] = []
    unchecked: Counter[str] = Counter()
    for problem in problems:
        answer = gold_answer(problem.domain, problem.reference, pool.settings(problem.domain))
        if answer is None:
            unchecked[problem.domain] += 1
        else:
            checked.append(problem)
            requests.append(_request(problem, answer))
    try:
        verdicts = pool.judge(requests)
    except SettingsError as error:  # a verifier of the user's own that does not import
        raise ConfigError(f"scoring: {error}") from error
    failures = [
        f"{problem.problem_id}: expected the {problem.domain} verifier to pass the reference "
        f"{problem.reference!r}, found {verdict.outcome}: {verdict.detail}."
        for problem, verdict in zip(checked, verdicts, strict=True)
        if not pool.passed(problem.domain, verdict)
    ]
    if failures:
        advice = "Correct these references or take the rows out."
        raise DatasetError(f"{list_problems('in the references', failures)}\n{advice}")
    return [
        f"{number} references of the domain {domain} are neither text nor numbers and were not "
        "checked against their own verifier."
        for domain, number in sorted(unchecked.items())
    ]


def _request(problem: Problem, answer: str) -> Request:
    return Request(
        domain=problem.domain,
        response=answer,
        reference=problem.reference,
        question=problem.question,
        bare=True,
    )
