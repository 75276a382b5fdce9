"""Where in a response the answer is taken from."""

from __future__ import annotations

import pytest

from rewards import Outcome, Request, VerifierPool, verify

BOX = "<|begin_of_box|>{}<|end_of_box|>"


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        ("<think>4?</think><answer>It is " + BOX.format("5") + ".</answer>", Outcome.CORRECT),
        ("thinking</think>" + BOX.format("5"), Outcome.CORRECT),
        ("\\boxed{5}", Outcome.CORRECT),
        ("\\fbox{5}", Outcome.CORRECT),
        (BOX.format("\\boxed{5}"), Outcome.CORRECT),
        (BOX.format("5") + " that is \\boxed{5}", Outcome.CORRECT),
        (BOX.format("5") + BOX.format("6"), Outcome.WRONG),
        ("\\boxed{5} or \\boxed{6}", Outcome.WRONG),
        ("<answer>\\boxed{5}</answer><answer>\\boxed{5}</answer>", Outcome.WRONG),
        ("\\boxed{6}<answer>\\boxed{5}</answer>", Outcome.CORRECT),
        ("<think>\\boxed{5}</think>", Outcome.NO_ANSWER),
        ("<think>\\boxed{5}", Outcome.NO_ANSWER),
        ("<think>a</think><think>\\boxed{5}", Outcome.NO_ANSWER),
        ("<think>\\boxed{4}</think>\\boxed{5}", Outcome.CORRECT),
        ("the answer is 5", Outcome.NO_ANSWER),
        (BOX.format(" "), Outcome.NO_ANSWER),
        ("\\boxed{}", Outcome.NO_ANSWER),
        ("\\boxed{5", Outcome.NO_ANSWER),
        ("", Outcome.NO_ANSWER),
    ],
)
def test_where_the_answer_is_taken_from(response: str, outcome: Outcome) -> None:
    assert verify(Request(domain="math", response=response, reference="5")).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("\\boxed{5}", Outcome.CORRECT),
        (BOX.format("\\boxed{5}"), Outcome.CORRECT),
        ("\\boxed{5} \\boxed{5}", Outcome.CORRECT),
        ("\\boxed{5} and again \\boxed{ 5 }", Outcome.CORRECT),
        ("\\boxed{5} \\boxed{1}", Outcome.WRONG),  # no product of the two
        ("\\boxed{1}\\boxed{5}", Outcome.WRONG),
        ("\\fbox{5} \\cdot \\boxed{1}", Outcome.WRONG),
        (BOX.format("5") + BOX.format("0"), Outcome.WRONG),
        (BOX.format("5") + "\\boxed{6}", Outcome.WRONG),
    ],
)
def test_boxes_of_a_bare_answer_count_as_in_a_response(answer: str, outcome: Outcome) -> None:
    request = Request(domain="math", response=answer, reference="5", bare=True)
    assert verify(request).outcome is outcome


def test_a_product_of_boxes_is_no_answer() -> None:
    answer = "\\boxed{0} \\boxed{987654321}"
    verdict = verify(Request(domain="math", response=answer, reference="0", bare=True))
    assert (verdict.outcome, verdict.detail) == (Outcome.WRONG, "2 different boxes")


def test_a_repeated_box_of_a_bare_answer_is_a_setting() -> None:
    request = Request(domain="math", response="\\boxed{5}\\boxed{5}", reference="5", bare=True)
    with VerifierPool(settings={"extraction": {"repeated_box": "wrong"}}) as pool:
        assert pool.judge([request])[0].outcome is Outcome.WRONG


def test_which_boxes_count_is_a_setting() -> None:
    glm, latex = BOX.format("5"), "\\boxed{5}"
    requests = [Request(domain="math", response=text, reference="5") for text in (glm, latex)]
    with VerifierPool(settings={"extraction": {"boxes": ["glm"]}}) as pool:
        outcomes = [verdict.outcome for verdict in pool.judge(requests)]
    assert outcomes == [Outcome.CORRECT, Outcome.NO_ANSWER]
