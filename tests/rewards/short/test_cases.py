"""OCR, counting, VQA, choice and text."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import Outcome, Request, VerifierPool, verify

OPTIONS = "Which city? A. Rome B. Oslo C. Bern"

# domain → (reference, question, answer → score)
CASES: dict[str, list[tuple[Any, str | None, dict[str, float]]]] = {
    "ocr": [
        ("hello", None, {"hello": 1.0, "hallo": 0.8, "Hello": 0.8, "": 0.0, "xxxxx": 0.0}),
        ("a b\nc", None, {"a b\r\nc": 1.0, "a b c": 0.8}),
    ],
    "counting": [
        (3, None, {"3": 1.0, "three": 1.0, "三": 1.0, "3 apples": 1.0, "3.0": 1.0}),
        ("5", None, {"There are 5.": 1.0, "about 5": 0.0, "there are 5 or 6": 0.0}),
        ("0", None, {"none": 1.0, "zero": 1.0, "one": 0.0}),
        ("12", None, {"13": 0.0, "12 or 13": 0.0, "11-13": 0.0, "12%": 0.0, "many": 0.0}),
    ],
    "vqa": [
        ("yes", None, {"Yes": 1.0, "是": 1.0, "no": 0.0}),
        (["a red car", "car"], None, {"the car": 1.0, "Red car": 1.0, "bus": 0.0}),
        ("2", None, {"two": 1.0, "2": 1.0, "3": 0.0}),
        ("50%", None, {"0.5": 1.0, "50 percent": 1.0, "50": 0.0}),
        ("Oslo", OPTIONS, {"B": 1.0, "Oslo": 1.0, "A": 0.0}),
    ],
    "choice": [
        ("B", OPTIONS, {"B": 1.0, "(b)": 1.0, "Oslo": 1.0, "B. Oslo": 1.0, "B. Rome": 0.0}),
        ("Oslo", OPTIONS, {"B": 1.0, "Ｂ": 1.0, "C": 0.0, "A or B": 0.0}),
        (["A", "C"], None, {"C, A": 1.0, "AC": 1.0, "A": 0.0, "ABC": 0.0}),
    ],
    "text": [
        ("New York", None, {"new york.": 1.0, "New York City": 0.0}),
        (["NYC", "New York"], None, {"nyc": 1.0}),
        ("1.5", None, {"1.5": 1.0, "15": 0.0}),
        ("-5", None, {"−5": 1.0, "5": 0.0}),
    ],
}


@pytest.mark.parametrize(
    ("domain", "reference", "question", "answer", "score"),
    [
        (domain, reference, question, answer, score)
        for domain, rows in CASES.items()
        for reference, question, answers in rows
        for answer, score in answers.items()
    ],
)
def test_case(domain: str, reference: Any, question: str | None, answer: str, score: float) -> None:
    request = Request(
        domain=domain, response=answer, reference=reference, question=question, bare=True
    )
    verdict = verify(request)
    assert not verdict.ours_failed, verdict
    assert verdict.score == pytest.approx(score), verdict


@pytest.mark.parametrize(
    ("domain", "reference"),
    [
        *(("ocr", ""), ("counting", "some"), ("counting", 2.5), ("vqa", []), ("text", None)),
        ("choice", "Paris"),
    ],
)
def test_bad_references_are_named(domain: str, reference: Any) -> None:
    request = Request(domain=domain, response="1", reference=reference, bare=True)
    assert verify(request).outcome is Outcome.BAD_REFERENCE


def test_text_metrics_by_setting() -> None:
    request = Request(domain="text", response="the red car", reference="red car", bare=True)
    for metric, score in (("f1", 0.8), ("anls", 7 / 11), ("verbatim", 0.0)):
        with VerifierPool(settings={"text": {"metric": metric}}) as pool:
            assert pool.judge([request])[0].score == pytest.approx(score)
