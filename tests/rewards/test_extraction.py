"""Where in a response the answer is taken from."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rewards import Outcome, Request, SettingsError, VerifierPool, verify
from rewards.extraction import ExtractionSettings, extract
from rewards.registry import Registry
from rewards.unboxed import TAIL_CHARACTERS

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


MARKER, NUMBER, EXPRESSION = (
    {"rule": rule} for rule in ("marker", "last_number", "last_expression")
)


@pytest.mark.parametrize(
    ("settings", "response", "answer"),
    [
        ({"rule": "answer"}, "<think>3?</think><answer> B </answer>", "B"),
        (
            {"rule": "answer"},
            "<think>3?</think>left_click(start_box='[1,2]')",
            "left_click(start_box='[1,2]')",
        ),
        ({"rule": "answer"}, "<answer>it is \\boxed{4}.</answer>", "4"),
        ({"rule": "answer"}, "<answer></answer>", None),
        (MARKER, "12 eggs\n#### 1,250", "1,250"),
        (MARKER, "The answer is 5. I checked it twice.", "5"),
        (MARKER, "The answer is 3.5.", "3.5"),
        (MARKER, "the ANSWER IS: $\\frac{1}{2}$.", "$\\frac{1}{2}$"),
        (MARKER, "**Final Answer:**\n\n$x = 2$", "$x = 2$"),
        (MARKER, "**Answer:** (B) red\n\nThat was it.", "(B) red"),
        (MARKER, "The answer is **12**, they say.", "12, they say"),
        (MARKER, "The answer is 4? No. The answer is 5", "5"),
        (MARKER, "Final answer: \\boxed{7}.", "7"),
        (MARKER, "所以答案是 12。", "12"),
        (MARKER, "<think>The answer is 4</think>It is 5.", None),
        (MARKER, "It is 5.", None),
        (MARKER, "#### ", None),
        ({"rule": "marker", "markers": ["=>"]}, "2 + 3 => 5", "5"),
        ({"rule": "pattern", "pattern": r"A: (\S+)"}, "A: 4 no\nA: 5 yes", "5"),
        ({"rule": "pattern", "pattern": r"A: (\S+)"}, "B: 4", None),
        ({"rule": "pattern", "pattern": r"A:(x)?"}, "A:", None),
        (NUMBER, "3 * 4 = 12 apples, worth $1,250.50.", "1,250.50"),
        (NUMBER, "it falls to -3", "-3"),
        (NUMBER, "5-3", "3"),
        (NUMBER, "about 1{,}250 or so", "1,250"),
        (NUMBER, "so 3/4 of it", "3/4"),
        (NUMBER, "so \\frac{3}{4} of it", "\\frac{3}{4}"),
        (NUMBER, "a share of 50\\%", "50\\%"),
        (NUMBER, "1.5e-3 m", "1.5e-3"),
        (NUMBER, "1, 2, and 3, no more", "3"),
        (NUMBER, "none", None),
        (EXPRESSION, "first $x=1$, then \\(y = 2\\). Done in 3 steps", "y = 2"),
        (EXPRESSION, "so\n\\[ \\sqrt{2}. \\]", "\\sqrt{2}"),
        (EXPRESSION, "$$\\boxed{9}$$", "9"),
        (EXPRESSION, "It takes 3 steps", "3"),
        ({"different_boxes": "list"}, "\\boxed{1} and \\boxed{2} and \\boxed{ 1 }", "1, 2"),
        ({"different_boxes": "list"}, "\\boxed{1}", "1"),
    ],
)
def test_rules(settings: dict[str, Any], response: str, answer: str | None) -> None:
    found = extract(response, ExtractionSettings(**settings))
    assert (found.text, found.ambiguous) == (answer, False)
    assert found.detail if answer is None else not found.detail


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "pattern"}, "extraction.pattern: expected one where rule is 'pattern'"),
        ({"pattern": "(a)"}, "extraction.pattern: expected none where rule is 'box'"),
        ({"rule": "pattern", "pattern": "("}, "expected a regular expression, found '('"),
        ({"rule": "pattern", "pattern": "a"}, "a regular expression with a group"),
        ({"markers": []}, "extraction.markers: expected at least one text"),
        ({"markers": ["####", ""]}, "extraction.markers: expected at least one text"),
        ({"boxes": []}, "The whole answer part is the answer by rule: answer."),
        ({"rule": "last"}, "extraction.rule: expected one of 'box', 'answer'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Registry(settings={"extraction": settings})
    assert message in str(caught.value)


def test_a_list_of_boxes_is_judged_as_one_answer() -> None:
    response = "The roots are \\boxed{1} and \\boxed{2}."
    request = Request(domain="math", response=response, reference="1, 2")
    with VerifierPool(settings={"extraction": {"different_boxes": "list"}}) as pool:
        assert pool.judge([request])[0].outcome is Outcome.CORRECT
    assert verify(request).outcome is Outcome.WRONG


def test_a_pattern_that_backtracks_ends_at_the_deadline_as_our_failure() -> None:
    settings = {"extraction": {"rule": "pattern", "pattern": "((a+)+)$"}}
    responses = ["a" * 60 + "!", "aa"]
    requests = [Request(domain="text", response=text, reference="aa") for text in responses]
    with VerifierPool(settings=settings, deadline_seconds=0.3) as pool:
        outcomes = [verdict.outcome for verdict in pool.judge(requests)]
    assert outcomes == [Outcome.TIMEOUT, Outcome.CORRECT]


@pytest.mark.parametrize(
    "spam",
    ["1,111,", "####", "answer is ", "$", "\\[", "\\(", "**", "-", "\\frac{1}", "/1", "\n", "{,}"],
)
@pytest.mark.parametrize("rule", ["answer", "marker", "last_number", "last_expression"])
def test_spam_takes_no_more_than_linear_time(rule: str, spam: str) -> None:
    settings = ExtractionSettings(rule=rule)
    text = spam * (2 * TAIL_CHARACTERS // len(spam))
    started = time.process_time()
    extract(text, settings)
    assert time.process_time() - started < 0.5
