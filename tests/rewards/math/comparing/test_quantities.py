"""Angles in degrees and radians, and units that a reference lacks."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "units: missing is fine, convertible is compared, contradictory is wrong": [
        ("5", ["5 cm", "5 apples"], []),
        (
            "45^\\circ",
            ["45", "\\pi/4", "45 degrees", "45°", "\\pi/4\\text{ radians}"],
            ["\\pi/3", "\\pi/3 rad", "45 rad"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8", True),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8厘米", True),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "58毫米", True),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "0.058米", True),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8 cm", True),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8米", False),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8 m", False),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8平方厘米", False),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "58厘米", False),
    ("the unit of the question", "这条线段长多少厘米？", "5.8", "5.8千克", False),
    ("the unit of the question", "How many centimeters long is it?", "5.8", "5.8cm", True),
    ("the unit of the question", "How many centimeters long is it?", "5.8", "58 mm", True),
    ("the unit of the question", "How many centimeters long is it?", "5.8", "5.8 m", False),
    ("the unit of the question", "How many centimeters long is it?", "5.8", "5.8 cm^2", False),
    ("the unit of the question", "Find the length in cm.", "5.8", "5.8 cm", True),
    ("the unit of the question", "Find the length in cm.", "5.8", "5.8 m", False),
    ("the unit of the question", "面积是多少平方米?", "12", "12平方米", True),
    ("the unit of the question", "面积是多少平方米?", "12", "12 m^2", True),
    ("the unit of the question", "面积是多少平方米?", "12", "12米", False),
    ("the unit of the question", "面积是多少平方米?", "12", "12平方厘米", False),
    ("the unit of the question", "需要几小时?", "3", "3小时", True),
    ("the unit of the question", "需要几小时?", "3", "180分钟", True),
    ("the unit of the question", "需要几小时?", "3", "3分钟", False),
    ("the unit of the question", "长（ ）厘米", "5", "5厘米", True),
    ("the unit of the question", "长（ ）厘米", "5", "5米", False),
    ("a rate has another unit than it names", "每小时走多少千米?", "60", "60千米/时", True),
    ("a rate has another unit than it names", "每小时走多少千米?", "60", "60千米", True),
    ("two units are asked for", "多少米？合多少厘米？", "5", "5米", True),
    ("two units are asked for", "多少米？合多少厘米？", "5", "5厘米", True),
    ("no unit is asked for", "它长多少?", "5", "5米", True),
    ("no unit is asked for", "它长多少?", "5", "5厘米", True),
]


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_says(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
