"""Solutions in any order, tuples in order, matrices."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "notations of counting, matrices, logarithms and unions": [
        (
            "\\begin{pmatrix}2&4\\\\6&8\\end{pmatrix}",
            ["2\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"],
            ["3\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"],
        ),
    ],
    "sets and lists in any order, tuples in order": [
        ("\\{1,2\\}", ["2,1", "x=1 or x=2", "1 and 2", "x_1=2, x_2=1"], ["1", "1,2,3", "1,3"]),
        ("1,2,3", ["3,1,2"], ["1,2", "1,2,3,4"]),
        ("\\pm 3", ["3,-3", "x=\\pm3"], ["3"]),
        ("1\\pm\\sqrt2", ["1+\\sqrt2, 1-\\sqrt2"], ["1+\\sqrt2"]),
        ("(1,2,3)", ["1,2,3", "\\langle 1,2,3\\rangle"], ["(1,3,2)"]),
        ("x=1,y=2", ["(1,2)", "y=2, x=1"], ["(2,1)", "x=2,y=1"]),
        ("\\{(1,2),(3,4)\\}", ["(3,4),(1,2)"], ["(2,1),(3,4)"]),
        ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", ["[[1,2],[3,4]]"], ["[[1,3],[2,4]]"]),
        ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", ["(1,2)"], ["(2,1)"]),
    ],
    "labelled values in the order of their letters": [
        (
            "1,2,3",
            ["(x, y, z) = (1, 2, 3)", "x=1, y=2, z=3", "(1,2,3)"],
            ["(z,y,x)=(1,2,3)", "(x,y,z)=(3,2,1)", "x=1,z=2,y=3", "x=3,y=2,z=1"],
        ),
        (
            "16,3,1,1",
            ["w=16, d=3, a=1, b=1"],
            ["w=16, d=3, a=1, b=2", "w=3, d=16, a=1, b=1", "a=1, b=1, d=3, w=16", "w=16,d=3,a=1"],
        ),
        ("x=1,y=2", ["(x,y)=(1,2)", "(y,x)=(2,1)"], ["(x,y)=(2,1)", "(a,b)=(1,2)"]),
        ("(1,2)", ["(x,y)=(1,2)", "y=2, x=1"], ["(y,x)=(1,2)", "(x,y)=(2,1)"]),
        (
            "(1,2),(3,4)",
            ["(x,y)=(1,2),(3,4)", "(y,x)=(2,1),(4,3)"],
            ["(y,x)=(1,2),(3,4)", "(x,y)=(1,2)"],
        ),
        (
            "a=2,b=3,c=4",
            ["(a,b,c)=(2,3,4)", "(c,b,a)=(4,3,2)", "(2,3,4)"],
            ["(4,3,2)", "(c,b,a)=(2,3,4)"],
        ),
    ],
    "plus-minus signs are independent": [
        (
            "(\\sqrt{2},0,\\sqrt{2}),(\\sqrt{2},0,-\\sqrt{2}),(-\\sqrt{2},0,\\sqrt{2}),(-\\sqrt{2},0,-\\sqrt{2})",
            ["(\\pm\\sqrt{2},0,\\pm\\sqrt{2})"],
            [
                "(\\sqrt{2},0,\\sqrt{2}),(-\\sqrt{2},0,-\\sqrt{2})",
                "(\\pm\\sqrt2,0,\\sqrt2)",
                "(\\pm\\sqrt{2},0,\\mp\\sqrt{2})",
            ],
        ),
        (
            "(\\pm 1,\\pm 2)",
            ["(1,2),(1,-2),(-1,2),(-1,-2)", "(\\pm1,2),(\\pm1,-2)"],
            ["(1,2),(-1,-2)", "(1,2)"],
        ),
        ("(1,2),(-1,-2)", ["\\pm(1,2)"], ["(\\pm1,\\pm2)"]),
        (
            "\\pm1\\pm\\sqrt{2}",
            ["1+\\sqrt2,1-\\sqrt2,-1+\\sqrt2,-1-\\sqrt2"],
            ["1+\\sqrt2,-1-\\sqrt2"],
        ),
        (
            "(x,y)=(\\pm1,\\pm2)",
            ["(1,2),(1,-2),(-1,2),(-1,-2)", "(\\pm1,\\pm2)"],
            ["(1,2),(-1,-2)"],
        ),
    ],
    "with minus-plus the signs go together": [
        ("(1,-1),(-1,1)", ["(\\pm1,\\mp1)"], ["(\\pm1,\\pm1)"]),
    ],
    "a tuple is no set and no half-open interval": [
        ("\\{1,2\\}", ["1,2"], ["(x,y)=(1,2)"]),
        ("x=1,y=2", ["[1,2]"], ["(1,2]"]),
    ],
    "values under names of their own are not exchanged": [
        (
            "f(x)=2x, g(x)=3x",
            ["g(x)=3x, f(x)=2x", "f(t)=2t, g(t)=3t", "2x, 3x"],
            ["f(x)=3x, g(x)=2x"],
        ),
        ("P(A)=0.5, P(B)=0.2", ["P(B)=0.2, P(A)=0.5"], ["P(A)=0.2, P(B)=0.5"]),
        ("AB=3, CD=4", ["CD=4, AB=3", "|AB|=3, |CD|=4"], ["AB=4, CD=3"]),
        (
            "\\angle A=60^\\circ, \\angle B=30^\\circ",
            ["\\angle B=30^\\circ, \\angle A=60^\\circ"],
            ["\\angle A=30^\\circ, \\angle B=60^\\circ"],
        ),
    ],
    "signs on both sides of an equation": [
        (
            "\\cos(a\\pm b)=\\cos a\\cos b\\mp\\sin a\\sin b",
            ["\\cos(a\\mp b)=\\cos a\\cos b\\pm\\sin a\\sin b"],
            ["\\cos(a\\pm b)=\\cos a\\cos b\\pm\\sin a\\sin b"],
        ),
        ("a^2\\pm 2ab+b^2", ["(a\\pm b)^2"], ["(a+b)^2"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


# reason, question, reference, answer, whether it passes
WITH_QUESTION = [
    (
        "the order of the letters in the question",
        "Find the values of $w$, $d$, $a$ and $b$.",
        "16,3,1,1",
        "w=16, d=3, a=1, b=1",
        True,
    ),
    (
        "the order of the letters in the question",
        "Find the values of $w$, $d$, $a$ and $b$.",
        "16,3,1,1",
        "a=1, b=1, d=3, w=16",
        True,
    ),
    (
        "the order of the letters in the question",
        "Find the values of $w$, $d$, $a$ and $b$.",
        "16,3,1,1",
        "a=16, b=3, d=1, w=1",
        False,
    ),
    (
        "the order of the letters in the question",
        "Find b and a, in this order.",
        "3, 2",
        "b=3, a=2",
        True,
    ),
    (
        "the order of the letters in the question",
        "Find b and a, in this order.",
        "3, 2",
        "a=2, b=3",
        True,
    ),
    (
        "the order of the letters in the question",
        "Find b and a, in this order.",
        "3, 2",
        "a=3, b=2",
        False,
    ),
    ("the order of the letters in the question", "What is (h,k)?", "(3,4)", "k=4,h=3", True),
    ("the order of the letters in the question", "What is (h,k)?", "(3,4)", "h=4,k=3", False),
    (
        "the question pairs the signs",
        "Take the upper signs together or the lower signs together.",
        "(1,2),(-1,-2)",
        "(\\pm1,\\pm2)",
        True,
    ),
    (
        "the question pairs the signs",
        "Take the upper signs together or the lower signs together.",
        "(1,2),(-1,-2)",
        "(1,2)",
        False,
    ),
]


@pytest.mark.parametrize(("reason", "question", "reference", "answer", "passes"), WITH_QUESTION)
def test_what_the_question_says(
    reason: str, question: str, reference: str, answer: str, passes: bool
) -> None:
    check(reason, reference, answer, passes, question)
