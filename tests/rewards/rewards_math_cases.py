"""Math verdicts in tables, shared by the tests of ``rewards.math``.

Each table is in the test file of the module whose behaviour its cases hold, so that a case that
fails names the module to look at.
"""

from __future__ import annotations

from rewards import Request, verify

# Why the answers pass or fail → (reference, answers that pass, answers that fail).
Cases = dict[str, list[tuple[str, list[str], list[str]]]]


def each(cases: Cases) -> list[tuple[str, str, str, bool]]:
    """Give every case as (reason, reference, answer, passes); each reference passes itself."""
    return [
        (reason, reference, answer, passes)
        for reason, rows in cases.items()
        for reference, right, wrong in rows
        for passes, answers in ((True, [reference, *right]), (False, wrong))
        for answer in answers
    ]


def check(
    reason: str, reference: str, answer: str, passes: bool, question: str | None = None
) -> None:
    """Judge one case. Raises AssertionError with the reason when the verdict is another."""
    verdict = verify(
        Request(domain="math", response=answer, reference=reference, question=question, bare=True)
    )
    assert not verdict.ours_failed, verdict
    assert (verdict.score == 1.0) == passes, (reason, verdict.detail)
