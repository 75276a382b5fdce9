"""Properties: total on any text, reflexive on references, symmetric where the rule is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewards import Outcome, Request, verify
from rewards.errors import AlgebraNeeded
from rewards.extraction import ExtractionSettings, extract
from rewards.registry import default_registry

REFERENCES: dict[str, list[Any]] = {
    "math": [
        "7",
        "2\\sqrt{2}",
        "x^2+1",
        "\\{1,2\\}",
        "(1,2)",
        "x>3",
        "5 m",
        "B",
        "Evelyn",
        "3:4",
        "ax-ay",
        "2k, k\\in\\mathbb{N}_0",
        "(\\pm1,\\pm2)",
        "0<f(x)<1",
        "\\forall x, x^2\\ge0",
    ],
    "charts": ["45%", "2010", "Red, Blue", "Germany", "March 2010"],
    "gui": [{"action": "click", "coord": "norm999", "bbox": [1, 1, 50, 50]}],
    "grounding": [
        {"coord": "norm999", "mode": "multi", "boxes": [[1, 1, 50, 50]]},
        {"mode": "temporal", "segment": [1, 5]},
    ],
    "ocr": ["some text"],
    "counting": [3],
    "vqa": ["yes", "a car"],
    "choice": ["B"],
    "text": ["some text"],
    "physics": ["9.8 m/s^2"],
    "chemistry": ["H2O"],
}
FRAGMENTS = st.sampled_from(
    [
        *"0123456789+-*/^_=<>,;:|!%'\"()[]{}&$\\ .xyzeikC",
        *(
            "\\frac",
            "\\sqrt",
            "{1}",
            "\\pm",
            "\\infty",
            "\\cup",
            "\\{",
            "\\}",
            "\\text{",
            "^\\circ",
        ),
        *("\\begin{pmatrix}", "\\end{pmatrix}", "\\\\", "\\sum_{k=1}^{n}", "\\int", "dx", "\\pmod"),
        *(
            "\\forall ",
            "\\exists ",
            " for all ",
            " where ",
            "\\mathbb{N}_0",
            "th",
            "\x0crac",
            "\\\\frac",
        ),
        *(" or ", " and ", "三分之二", "万", "½", "√", "²", "∈", "ℝ", "≤", "\u200b", "％", "cm"),
        *('{"action": "click", "point": [5, 5]}', "[[1, 2, 3, 4]]", "```json\n", "null", "NaN"),
        *("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "<|begin_of_box|>"),
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(FRAGMENTS, max_size=25).map("".join))
RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def judge_here(request: Request) -> Outcome | None:
    """The fast path in this process; None where a worker would be needed."""
    try:
        return default_registry().judge(request).outcome
    except AlgebraNeeded:
        return None


@pytest.mark.parametrize("domain", sorted(REFERENCES))
@RELAXED
@given(text=TEXTS, bare=st.booleans(), data=st.data())
def test_every_text_gets_a_verdict(domain: str, text: str, bare: bool, data: st.DataObject) -> None:
    reference = data.draw(st.sampled_from(REFERENCES[domain]))
    outcome = judge_here(
        Request(domain=domain, response=text, reference=reference, question=text, bare=bare)
    )
    assert outcome not in (Outcome.ERROR, Outcome.BAD_REFERENCE, Outcome.TIMEOUT)


@RELAXED
@given(reference=TEXTS)
def test_any_reference_is_judged_or_named_bad_and_passes_itself(reference: str) -> None:
    request = Request(domain="math", response=reference, reference=reference, bare=True)
    assert judge_here(request) is not Outcome.ERROR


@RELAXED
@given(raw=st.binary(max_size=200))
def test_bytes_of_any_kind(raw: bytes) -> None:
    text = raw.decode("utf-8", errors="replace")
    for domain, references in REFERENCES.items():
        outcome = judge_here(
            Request(domain=domain, response=text, reference=references[0], bare=True)
        )
        assert outcome is not Outcome.ERROR


FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=500)


def math_score(reference: str, answer: str) -> float:
    return verify(Request(domain="math", response=answer, reference=reference, bare=True)).score


@RELAXED
@given(value=FRACTIONS)
def test_rewriting_a_fraction_keeps_the_verdict(value: Fraction) -> None:
    upper, lower = value.numerator, value.denominator
    sign = "-" if upper < 0 else ""
    for answer in (
        f"{upper}/{lower}",
        f"{sign}\\frac{{{abs(upper)}}}{{{lower}}}",
        f"{2 * upper}/{2 * lower}",
        f"x = {upper}/{lower}",
        f"$ {upper}/{lower} $",
    ):
        assert math_score(f"{upper}/{lower}", answer) == 1.0, answer


@RELAXED
@given(value=FRACTIONS, change=st.integers(1, 50))
def test_changing_a_fraction_flips_the_verdict(value: Fraction, change: int) -> None:
    changed = value + Fraction(change, 7)
    assert math_score(str(value), str(changed)) == 0.0
    if value:
        assert math_score(str(value), str(-value)) == 0.0


@RELAXED
@given(one=FRACTIONS, other=FRACTIONS)
def test_equality_is_symmetric(one: Fraction, other: Fraction) -> None:
    assert math_score(str(one), str(other)) == math_score(str(other), str(one))
    pair, swapped = f"({one}, {other})", f"({other}, {one})"
    assert (math_score(pair, swapped) == 1.0) == (one == other)


@RELAXED
@given(text=st.lists(FRAGMENTS, max_size=40).map("".join))
def test_extraction_returns_part_of_the_response(text: str) -> None:
    found = extract(text, ExtractionSettings())
    assert found.text is None or found.text in text
