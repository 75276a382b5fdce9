"""What answers say of their letters, compared where it matters."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "sets that letters run over": [
        (
            "2k, k \\in \\mathbb{N}_0",
            [
                "2n, where n \\in \\mathbb{N}_0",
                "2k where k ∈ ℕ₀",
                "2k \\text{ where } k \\in \\mathbb{Z}_{\\ge 0}",
            ],
            ["2k, k \\in \\mathbb{Z}", "2k+1, k\\in \\mathbb{N}_0", "2k, k \\in \\mathbb{N}_{>0}"],
        ),
        (
            "2k, k \\in \\mathbb{Z}",
            ["-2k, k\\in\\mathbb Z", "2t for some integer t"],
            ["2k, k \\in \\mathbb{N}_0", "2k, k \\in \\mathbb{N}", "2k, k \\in \\mathbb{R}"],
        ),
        (
            "2n-1, n \\in \\mathbb{N}^*",
            ["2k+1, k \\in \\mathbb{N}_0"],
            ["2n+1, n \\in \\mathbb{N}^*", "1-2n, n \\in \\mathbb{N}^*"],
        ),
        (
            "k^2 \\text{ where } k \\text{ is a positive integer}",
            ["n^2, n\\in\\mathbb{N}^+", "k^2, k \\in \\mathbb{Z}^+"],
            ["k^2+1, k \\in \\mathbb{Z}^+", "n^3, n\\in\\mathbb{N}^+"],
        ),
        ("x>1", ["x>1, x\\in\\mathbb{R}"], ["x>1, x \\in \\mathbb{Z}"]),
    ],
    "constants under other names": [
        (
            "f(x)=cx \\text{ where } c \\text{ is a constant}",
            ["f(x)=cx", "f(x)=kx \\text{ for some constant } k"],
            ["f(x)=x", "f(x)=c", "f(x)=kx^2 \\text{ for some constant } k"],
        ),
        (
            "(t,2t) \\text{ for any real } t",
            ["(s,2s) \\text{ for any real } s"],
            ["(t,t)", "(2t,t) for any real t"],
        ),
    ],
    "inequalities": [
        ("f(x)=x^2", ["f(x)=x^2 \\text{ for } x \\ne 0"], ["f(x)=x^2 \\text{ for } x>0"]),
        (
            "2^k \\text{ with } k \\geq 1",
            ["2^k \\text{ for } k \\ge 1", "2^k"],
            ["2^k \\text{ for } k\\ge 2"],
        ),
    ],
    "the domain of a formula may be missing, but not be another": [
        (
            "y=60-2x (15<x<30)",
            ["y=60-2x", "y=-2x+60 (15<x<30)", "60-2x", "y=60-2x, 15<x<30"],
            ["y=60-2x (10<x<30)", "y=60-x (15<x<30)", "15<x<30"],
        ),
        ("y=2x+1 (x>0)", ["y=2x+1", "2x+1 (x>0)", "y=2x+1, x>0"], ["y=2x+1 (x<0)", "y=2x (x>0)"]),
        (
            "a_n=2n-1",
            ["a_n=2n-1 (n\\ge1)", "a_n=2n-1, n\\in N^*"],
            ["a_n=2n-1 (n\\ge2)", "a_n=2n+1"],
        ),
    ],
    "where a condition belongs to the set, it is compared": [
        ("x^2+y^2=1, x>0", ["x^2+y^2=1 (x>0)"], ["x^2+y^2=1", "x^2+y^2=1, x<0"]),
        (
            "x=k\\pi, k\\in\\mathbb{Z}, k\\ne0",
            ["x=n\\pi, n\\in\\mathbb{Z}, n\\neq0"],
            ["x=k\\pi, k\\in\\mathbb{Z}"],
        ),
        ("x=k\\pi, k\\in\\mathbb{Z}", ["x=k\\pi (k∈Z)"], ["x=k\\pi, k\\in\\mathbb{Z}, k\\ne0"]),
    ],
    "for all n is no parameter": [
        ("f(n)=n \\text{ for all positive integers } n", ["f(n)=n"], ["c", "x", "a", "f(n)=2"]),
        ("2 g", ["2g"], ["2k, k\\in\\mathbb{Z}"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
