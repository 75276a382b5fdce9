"""The gold check: a reference that its own verifier does not pass is found before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rewards import VerifierPool
from rlcs.data import check_references
from rlcs.errors import DatasetError
from rlcs.types import Problem


def problem(problem_id: str, reference: Any, domain: str = "math") -> Problem:
    question = "What is it?"
    return Problem(
        problem_id=problem_id,
        domain=domain,
        category="all",
        messages=({"role": "user", "content": question},),
        reference=reference,
        question=question,
    )


def test_references_that_pass_say_nothing() -> None:
    with VerifierPool(1) as pool:
        problems = [problem("a", "72"), problem("b", 72), problem("c", 0.5), problem("d", "1,080")]
        assert check_references(problems, pool) == []
        assert check_references([], pool) == []


PICKY_VERIFIER = """
from rewards import Outcome, Verdict

def judge(request):
    right = request.response == "72" and request.bare and request.question == "What is it?"
    return Verdict(
        outcome=Outcome.CORRECT if right else Outcome.WRONG,
        score=float(right),
        extracted=request.response,
        detail="only 72 will do",
        seconds=0.0,
    )
"""


def test_references_that_fail_are_all_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky_verifier.py").write_text(PICKY_VERIFIER)
    monkeypatch.syspath_prepend(tmp_path)
    problems = [problem("good", "72", "picky"), problem("number", 72, "picky")]
    problems += [problem(f"bad{n}", "x", "picky") for n in range(25)]
    with (
        VerifierPool(1, custom={"picky": "picky_verifier:judge"}) as pool,
        pytest.raises(DatasetError) as caught,
    ):
        check_references(problems, pool)
    lines = str(caught.value).splitlines()
    assert lines[0] == "25 problems in the references:"
    assert lines[1] == (
        "  bad0: expected the picky verifier to pass the reference 'x', "
        "found wrong: only 72 will do."
    )
    assert lines[-2:] == [
        "  and 5 more.",
        "Correct these references or take the rows out.",
    ]


def test_objects_are_counted_instead() -> None:
    problems = [problem("a", {"boxes": []}, "grounding"), problem("b", "1")]
    with VerifierPool(1) as pool:
        assert check_references(problems, pool) == [
            "1 references of the domain grounding are objects and were not checked "
            "against their own verifier."
        ]
