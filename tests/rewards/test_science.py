"""Physics and chemistry."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, verify

# domain → (reference, answer → score)
CASES: dict[str, list[tuple[str, dict[str, float]]]] = {
    "physics": [
        ("9.8 m/s^2", {"9.8 m/s²": 1.0, "9.81": 1.0, "980 cm/s^2": 1.0, "9.8 m/s": 0.0}),
        ("4.7 kΩ", {"4700 ohm": 1.0, "4.7": 1.0, "4.7 MΩ": 0.0}),
        ("v_0 t + \\frac12 a t^2", {"v_0t+at^2/2": 1.0, "v_0t+at^2": 0.0}),
        ("5 N", {"5": 1.0, "0.005 kN": 1.0, "5 J": 0.0, "6 N": 0.0}),
        ("mv^2/2", {"\\frac{1}{2}mv^2": 1.0, "mv^2": 0.0}),
        ("5", {"a velocity very close to the speed of light": 0.0}),
    ],
    "chemistry": [
        ("H2O", {"H_2O": 1.0, "\\ce{H2O}": 1.0, "H₂O": 1.0, "H2O2": 0.0, "h2o": 0.0}),
        ("C2H5OH", {"CH3OCH3": 0.0}),
        ("CuSO4·5H2O", {"\\ce{CuSO4.5H2O}": 1.0, "CuSO4*5H2O": 1.0, "CuSO4.3H2O": 0.0}),
        ("2H2 + O2 -> 2H2O", {"\\ce{2H2 + O2 -> 2H2O}": 1.0, "\\ce{H2 + O2 -> H2O}": 0.0}),
        (
            "2H2 + O2 -> 2H2O",
            {"4 H_2 + 2 O_2 \\rightarrow 4 H_2O": 1.0, "O2 + 2H2 = 2H2O": 1.0, "H2+O2->H2O": 0.0},
        ),
        ("SO4^{2-}", {"SO_4^{2-}": 1.0, "SO4^{-}": 0.0}),
        ("0.5 mol", {"0.5": 1.0, "500 mmol": 1.0, "0.5 g": 0.0}),
    ],
}


@pytest.mark.parametrize(
    ("domain", "reference", "answer", "score"),
    [
        (domain, reference, answer, score)
        for domain, rows in CASES.items()
        for reference, answers in rows
        for answer, score in answers.items()
    ],
)
def test_case(domain: str, reference: str, answer: str, score: float) -> None:
    verdict = verify(Request(domain=domain, response=answer, reference=reference, bare=True))
    assert not verdict.ours_failed, verdict
    assert verdict.score == pytest.approx(score), verdict


@pytest.mark.parametrize(("domain", "reference"), [("physics", "\\frac{1}{"), ("chemistry", "")])
def test_bad_references_are_named(domain: str, reference: str) -> None:
    request = Request(domain=domain, response="1", reference=reference, bare=True)
    assert verify(request).outcome is Outcome.BAD_REFERENCE
