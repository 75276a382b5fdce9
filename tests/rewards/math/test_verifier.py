"""The verifier as a whole: choices, texts, hedges, and references of other types."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

from rewards import Outcome, Request, verify

CASES: Cases = {
    "one value, many notations": [
        ("1,22", ["1.22"], ["122"]),
    ],
    "labels, texts and statements": [
        ("\\text{June 20}", ["June 20"], ["June 21", "20"]),
        ("①③", ["③①", "①、③"], ["①②", "①", "13"]),
    ],
    "choices": [
        ("B", ["(B)", "B.", "\\text{B}", "Option B", "选B", "b"], ["C", "B or C", "BC"]),
        ("A, C", ["AC", "C and A", "A、C"], ["A", "A, B, C"]),
    ],
    "text": [
        ("\\text{Evelyn}", ["evelyn", "Evelyn."], ["Eve"]),
        ("Yes", ["yes", "\\text{Yes}"], ["No"]),
    ],
    "hedges, descriptions and code are wrong": [
        (
            "7",
            [],
            [
                "7 or 8",
                "either 7 or 8",
                "7 (or 8)",
                "not 7",
                "the answer is not 7",
                "6-8",
                "7±1",
                "between 6 and 8",
                "7, 8",
                "a correct number between 0 and 10",
                "7/0",
                "the number of days in a week",
                "lambda: 7",
                "eval('7')",
                "print(7)",
                "int(7)",
                "7 if True else 0",
                "7 # seven",
                "6;7",
                "__import__('os').getpid()",
                "9^{9^{9^9}}",
                "10000000!",
                "\\sum_{k=1}^{7} 1",
                "x=7, y=8",
            ],
        ),
    ],
}

# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("the option's content", "Capital? (A) Rome (B) Paris (C) Bern", "B", "Paris", True),
    ("letter and content agree", "Capital? (A) Rome (B) Paris (C) Bern", "B", "B. Paris", True),
    ("letter contradicts content", "Capital? (A) Rome (B) Paris (C) Bern", "B", "B. Rome", False),
    ("the letter of the content", "Capital? A. Rome B. Paris C. Bern", "Paris", "B", True),
    ("an approximate reference keeps the base", "In base 2?", "\\approx 101_2", "101", True),
    ("an approximate reference keeps the base", "In base 2?", "\\approx 101_2", "5", False),
]


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_allows(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)


@pytest.mark.parametrize("reference", ["", "  ", "\\frac{1}{", "))", "\\frac{1}", "x=", True, None])
def test_a_reference_that_does_not_parse_is_named(reference: object) -> None:
    verdict = verify(Request(domain="math", response="1", reference=reference, bare=True))
    assert verdict.outcome is Outcome.BAD_REFERENCE


@pytest.mark.parametrize("reference", [5, 5.0, [1, 2], "Evelyn", "New York", "x^2"])
def test_a_reference_may_be_a_number_a_list_or_text(reference: object) -> None:
    text = ", ".join(map(str, reference)) if isinstance(reference, list) else str(reference)
    verdict = verify(Request(domain="math", response=text, reference=reference, bare=True))
    assert verdict.outcome is Outcome.CORRECT
