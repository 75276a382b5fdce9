"""Backslashes that were lost or doubled on the way."""

from __future__ import annotations

import time

import pytest
from rewards_math_cases import Cases, check, each

from rewards import Outcome, Request, verify
from rewards.math.reading.escapes import repaired, suspected

CASES: Cases = {
    "a control character before the rest of a command": [
        ("1\x0crac{1}{2}", ["1\\frac12", "3/2"], ["1/2"]),
        ("5\text{ m}", ["5 m", "500 cm"], ["5 kg"]),
        ("2\times 3", ["6"], ["5"]),
        ("2\x08eta+1", ["2\\beta+1"], ["2\\eta+1", "2"]),
        ("x \neq 2", ["x\\ne 2"], ["x=2"]),
        ("2\x0bec{a}", ["2\\vec a"], ["a"]),
        ("(1,2\right)", ["(1,2)"], ["(2,1)"]),
        ("3\\sqrt{2}+\theta", ["\\theta+3\\sqrt2"], ["3\\sqrt2"]),
    ],
    "backslashes escaped twice": [
        ("\\\\frac{1}{2}", ["0.5", "\\frac12", "\\\\\\\\frac{1}{2}"], ["2"]),
        ("\\\\left(1,2\\\\right)", ["(1,2)"], ["(2,1)"]),
        ("50\\\\%", ["50\\%", "0.5"], ["50"]),
        ("\\\\{1,2\\\\}", ["\\{1,2\\}"], ["\\{1\\}"]),
        ("\\\\(x+1\\\\)", ["x+1"], ["x"]),
        (
            "\\\\begin{pmatrix}1\\\\\\\\2\\\\end{pmatrix}",
            ["\\begin{pmatrix}1\\\\2\\end{pmatrix}"],
            ["(2,1)"],
        ),
    ],
    "a command that became a text command": [
        ("60^{\\textcirc}", ["60^\\circ"], ["61^\\circ"]),
        ("90^{\\textdegree}", ["90^\\circ"], ["80^\\circ"]),
        ("2\\textpi", ["2\\pi"], ["\\pi"]),
        ("\\textbf{5}", ["5"], ["6"]),
    ],
    "what is no damage stays": [
        ("\\begin{cases}x=1\\\\y=2\\end{cases}", ["x=1,y=2"], ["x=2,y=1"]),
        ("A \\\\ B", ["A \\setminus B"], ["B \\\\ A"]),
        ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", ["[[1,2],[3,4]]"], ["[[1,3],[2,4]]"]),
        ("x^2\t+ 1", ["1+x^2"], ["x^2"]),
    ],
}


@pytest.mark.parametrize(("reason", "reference", "answer", "passes"), each(CASES))
def test_case(reason: str, reference: str, answer: str, passes: bool) -> None:
    check(reason, reference, answer, passes)


@pytest.mark.parametrize(
    ("reference", "repaired"),
    [
        ("rac{1}{2}", "\\\\frac{1}{2}"),  # the form feed was dropped
        ("x\ne 2", "x\\\\ne 2"),  # or a new line and "e 2"
        ("60\x0coo", "60\\\\foo"),  # no command that is known
        ("3 imes 4", "3 \\\\times 4"),
        ("oxed{5}", "\\\\boxed{5}"),
    ],
)
def test_a_doubtful_reference_is_bad_and_shown_repaired(reference: str, repaired: str) -> None:
    verdict = verify(Request(domain="math", response="1", reference=reference, bare=True))
    assert verdict.outcome is Outcome.BAD_REFERENCE
    assert "looks like a damaged escape" in verdict.detail
    assert repaired in verdict.detail


@pytest.mark.parametrize("answer", ["rac{1}{2}", "{rac}{1}{2}", "frac12"])
def test_an_answer_is_not_repaired_where_it_is_only_suspected(answer: str) -> None:
    check("only plain damage is mended", "1/2", answer, False)


def test_a_new_line_between_equations_is_no_damage() -> None:
    assert suspected("t=2\nu=3") is None
    assert repaired("t=2\nu=3") == "t=2\nu=3"


@pytest.mark.parametrize("text", ["\\" * 4000, "\x0c" * 4000, "\trac" * 1000, "\\\\frac" * 600])
def test_long_damage_is_read_in_linear_time(text: str) -> None:
    started = time.perf_counter()
    suspected(text)
    assert time.perf_counter() - started < 1.0
