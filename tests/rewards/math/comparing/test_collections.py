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
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
