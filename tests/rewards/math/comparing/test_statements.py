"""Statements about all or some values."""

from __future__ import annotations

import pytest
from rewards_math_cases import Cases, check, each

CASES: Cases = {
    "quantifier, set and claim": [
        (
            "\\forall x \\in \\mathbb{R}, x^2 \\ge 0",
            [
                "∀x∈R, x²≥0",
                "\\forall a\\in\\mathbb{R}, a^2\\ge0",
                "\\forall x \\in \\mathbb{R}, 0 \\le x^2",
            ],
            [
                "\\exists x \\in \\mathbb{R}, x^2 \\ge 0",
                "\\forall x \\in \\mathbb{R}, x^2 > 0",
                "\\forall x \\in \\mathbb{Q}, x^2 \\ge 0",
            ],
        ),
        (
            "\\exists x \\in \\mathbb{R}, x^2 < 0",
            ["\\exists x_0\\in R, x_0^2<0"],
            ["\\forall x \\in \\mathbb{R}, x^2 < 0", "\\exists x \\in \\mathbb{R}, x^2 \\le 0"],
        ),
        ("\\exists x>1, x^2\\le 1", ["∃x>1, x^2≤1"], ["∀x>1, x^2≤1", "\\exists x\\le1, x^2\\le1"]),
        (
            "\\forall x\\in\\mathbb{R}, \\exists y\\in\\mathbb{R}, x+y=0",
            ["\\forall a\\in\\mathbb{R}, \\exists b\\in\\mathbb{R}, a+b=0"],
            ["\\exists y\\in\\mathbb{R}, \\forall x\\in\\mathbb{R}, x+y=0", "∀x∈R, ∃y∈R, x-y=0"],
        ),
        (
            "\\forall x,y\\in\\mathbb{R}, xy=yx",
            ["\\forall a,b\\in\\mathbb{R}, ab=ba"],
            ["\\forall x\\in\\mathbb{R}, xy=yx"],
        ),
    ],
    "an equation says the same with for all": [
        (
            "f(x)=x^2",
            ["\\forall x \\in \\mathbb{R}, f(x)=x^2"],
            ["\\exists x \\in \\mathbb{R}, f(x)=x^2", "\\forall x, f(x)=x^3"],
        ),
    ],
    "sets of natural numbers": [
        (
            "\\forall n\\in\\mathbb{N}_0, n\\ge0",
            ["∀n∈ℕ₀, n≥0"],
            ["\\forall n\\in\\mathbb{N}^*, n\\ge0"],
        ),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)
