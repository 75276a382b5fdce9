"""Intervals, inequalities and unions as sets of reals."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "relations and intervals match both ways": [
        ("(1,2)", ["1<x<2", "x>1 and x<2", "x>1, x<2"], ["[1,2]", "(1,2]", "(2,1)"]),
        ("x>3", ["(3,\\infty)", "3<x", "2x>6", "x\\in(3,\\infty)"], ["x\\ge 3", "x<3"]),
        ("(-\\infty,1)\\cup(2,\\infty)", ["x<1 or x>2", "x>2 或 x<1"], ["x<1 and x<2", "x<1"]),
        ("\\mathbb{R}\\setminus\\{1\\}", ["x\\ne 1", "(-\\infty,1)\\cup(1,\\infty)"], ["x=1"]),
        ("\\mathbb{R}", ["all real numbers", "(-\\infty,\\infty)"], ["\\mathbb{Z}"]),
        ("|x|<2", ["-2<x<2", "(-2,2)"], ["x<2"]),
        ("\\{x \\mid x>1\\}", ["(1,\\infty)", "\\{t : t>1\\}"], ["x<1"]),
    ],
    "differences written with a minus sign": [
        (
            "\\{x \\mid x<3/2\\} - \\{-6\\}",
            ["(-\\infty,-6)\\cup(-6,3/2)", "x<3/2, x\\ne -6", "\\{x : x<1.5, x\\neq-6\\}"],
            ["(-\\infty,3/2)", "(-\\infty,-6]\\cup(-6,3/2)", "(-\\infty,-6)\\cup(-6,3/2]"],
        ),
        (
            "(-\\infty,-6)\\cup(-6,3/2)",
            ["\\{x|x<\\frac32\\}\\setminus\\{-6\\}", "(-\\infty,3/2)-\\{-6\\}"],
            ["\\{x \\mid x<3/2\\} - \\{6\\}"],
        ),
        (
            "\\mathbb{R}-\\{0\\}-\\{1\\}",
            ["\\mathbb{R}-\\{0,1\\}", "x\\ne0, x\\ne1"],
            ["\\mathbb{R}-\\{0\\}"],
        ),
        ("\\mathbb{R}-[0,1]", ["(-\\infty,0)\\cup(1,\\infty)"], ["\\mathbb{R}"]),
        ("\\{1,2,3\\}-\\{2\\}", ["\\{1,3\\}"], ["\\{1,2\\}", "\\{1,2,3\\}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
