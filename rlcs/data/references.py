"""The gold check: every reference, given as the answer, must pass its own verifier.

A reference that its verifier cannot read, or refuses, would make its problem look hopeless
for the whole run. It is found here, before a GPU starts.

Left out: references that are objects. What a right answer to one looks like (an action that
hits a box, say) is not the reference itself, so those are counted in a note instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewards import Request, SettingsError, VerifierPool
from rlcs.data.load import list_problems
from rlcs.data.response_format import answer_text
from rlcs.errors import ConfigError, DatasetError
from rlcs.types import Problem


def check_references(
    problems: Sequence[Problem],
    pool: VerifierPool,
) -> list[str]:
    """Judge each reference as a bare answer to its own problem.

    Returns notes about references that could not be checked. Raises DatasetError naming
    the id, reference and verdict of each that does not pass (the first 20 are shown);
    ConfigError for a verifier of the user's own that cannot be imported.
    """
    checked = [problem for problem in problems if not isinstance(problem.reference, dict)]
    try:
        verdicts = pool.judge([_as_answer(problem) for problem in checked])
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
    unchecked = Counter(p.domain for p in problems if isinstance(p.reference, dict))
    return [
        f"{number} references of the domain {domain} are objects and were not checked "
        "against their own verifier."
        for domain, number in sorted(unchecked.items())
    ]


def _as_answer(problem: Problem) -> Request:
    return Request(
        domain=problem.domain,
        response=answer_text(problem.reference),
        reference=problem.reference,
        question=problem.question,
        bare=True,
    )
