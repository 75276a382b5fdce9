"""The gold check: a reference that its own verifier does not pass is found before the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewards import VerifierPool
from rlcs.config import DataSection, SourceSection
from rlcs.data import load_data, reference_faults
from rlcs.data.references import UNCHECKED
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
        assert reference_faults(problems, pool) == [None] * 4
        assert reference_faults([], pool) == []


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
    rows = [{"question": "What is it?", "answer": each} for each in ["72", 72] + ["x"] * 25]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    section = DataSection(train=[SourceSection(path=str(path), domain="picky")])
    with VerifierPool(1, custom={"picky": "picky_verifier:judge"}) as pool:
        with pytest.raises(DatasetError) as caught:
            load_data(section, extra_domains=["picky"], pool=pool)
        dropping = section.model_copy(update={"bad_rows": "drop"})
        loaded = load_data(dropping, extra_domains=["picky"], pool=pool)
    lines = str(caught.value).splitlines()
    assert lines[0] == "25 problems in the references:"
    assert lines[1].startswith(f"  {path}:3 (")
    assert lines[1].endswith(
        "): expected the picky verifier to pass the reference 'x', found wrong: only 72 will do."
    )
    assert lines[-2:] == [
        "  and 5 more.",
        "Correct these references, or leave them out: data.bad_rows=drop.",
    ]
    assert [each.reference for each in loaded.train] == ["72", 72]
    assert len(loaded.dropped) == 25


BOXES = {"coord": "norm999", "mode": "multi", "boxes": [[1, 1, 9, 9], [20, 20, 60, 60]]}
CLICK = {"coord": "norm999", "action": "click", "bbox": [100, 100, 200, 200]}


@pytest.mark.parametrize(
    ("domain", "reference", "reason"),
    [
        ("grounding", BOXES, "the boxes themselves"),
        ("gui", CLICK, "the middle of the box"),
        ("charts", [12, 30.5], "a list is written with commas, not as JSON"),
        ("charts", True, "true is a yes"),
        ("vqa", ["a red car", "car"], "any of a list is right"),
        ("math", "x = \\pm 3", "as it is"),
    ],
)
def test_references_of_every_form_pass_themselves(domain: str, reference: Any, reason: str) -> None:
    with VerifierPool(1) as pool:
        assert reference_faults([problem("a", reference, domain)], pool) == [None], reason


@pytest.mark.parametrize(
    ("domain", "reference"),
    [
        ("grounding", {**BOXES, "boxes": [[9, 9, 1, 1]]}),
        ("grounding", {"boxes": []}),
        ("gui", {**CLICK, "bbox": [100, 100, 1200, 200]}),
        ("gui", {"action": "click"}),
    ],
)
def test_objects_that_no_answer_can_match_are_found(domain: str, reference: Any) -> None:
    """They were counted in a note, and looked like hopeless problems for the whole run."""
    with VerifierPool(1) as pool:
        [fault] = reference_faults([problem("a", reference, domain)], pool)
    assert "found bad_reference" in str(fault)


def test_objects_of_a_verifier_of_ones_own_are_counted_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky_verifier.py").write_text(PICKY_VERIFIER)
    monkeypatch.syspath_prepend(tmp_path)
    with VerifierPool(1, custom={"picky": "picky_verifier:judge"}) as pool:
        problems = [problem("a", {"cells": []}, "picky"), problem("b", "72", "picky")]
        assert reference_faults(problems, pool) == [UNCHECKED, None]
        path = tmp_path / "rows.jsonl"
        path.write_text('{"question": "What is it?", "answer": {"cells": []}}\n')
        section = DataSection(train=[SourceSection(path=str(path), domain="picky")])
        loaded = load_data(section, extra_domains=["picky"], pool=pool)
    assert loaded.notes == [
        "1 references of the domain picky are neither text nor numbers and were not checked "
        "against their own verifier."
    ]


def test_a_pass_mark_of_the_run_counts_for_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picky_verifier.py").write_text(PICKY_VERIFIER)
    monkeypatch.syspath_prepend(tmp_path)
    custom = {"picky": "picky_verifier:judge"}
    with VerifierPool(1, custom=custom, pass_marks={"picky": 0.0}) as pool:
        assert reference_faults([problem("a", "71", "picky")], pool) == [None]


@pytest.mark.parametrize("dialect", ["auto", "qwen3_vl", "glm_mobile", "os_atlas", "aguvis"])
def test_references_are_answered_in_the_dialect_of_the_run(dialect: str) -> None:
    click = {"coord": "norm1", "action": "click", "bbox": [0.1, 0.1, 0.2, 0.2]}
    problems = [problem("a", click, "gui"), problem("b", {"action": "back"}, "gui")]
    with VerifierPool(1, settings={"gui": {"dialect": dialect}}) as pool:
        assert reference_faults(problems, pool) == [None, None]


def test_a_reference_that_a_dialect_cannot_answer_is_named() -> None:
    problems = [problem("chosen", {"action": "select", "option": "Red"}, "gui")]
    with VerifierPool(1, settings={"gui": {"dialect": "ui_tars"}}) as pool:
        [fault] = reference_faults(problems, pool)
    assert "the dialect ui_tars has no select; it has" in str(fault)
