"""The gold answer: every reference that is valid in its domain passes its own verifier."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

import rewards.gold
from rewards import Outcome, Request, VerifierPool, gold_answer, verify
from rewards.gui.actions import ALIASES

NORM = {"coord": "norm999"}
CAT, DOG = [0, 0, 99, 99], [500, 500, 601, 600]
LONG_TABLE = [["key", "value"], *([f"row {i}", i] for i in range(300))]

# (domain, reference, its gold answer, reason)
CASES: list[tuple[str, Any, str, str]] = [
    ("math", "\\frac{1}{2}", "\\frac{1}{2}", "text is written as it is"),
    ("math", 72, "72", "a number by its digits"),
    ("math", 1e-7, "1e-07", "a small number with its exponent"),
    ("math", [1, "x=2"], "1, x=2", "solutions with commas between"),
    ("math", [[1, 2], [3]], "1, 2, 3", "lists in lists are run together, as the verifier does"),
    ("math", "$\\boxed{5}$", "$\\boxed{5}$", "a boxed reference is the value in the box"),
    ("physics", [1, 2], "1, 2", "a list as in math"),
    ("physics", "9.8 m/s^2", "9.8 m/s^2", "a quantity"),
    ("physics", "\\boxed{5 N}", "\\boxed{5 N}", "a boxed quantity"),
    ("chemistry", "2H2 + O2 -> 2H2O", "2H2 + O2 -> 2H2O", "an equation"),
    ("counting", 3, "3", "a whole number"),
    ("counting", "three", "three", "a number word"),
    ("choice", "b", "b", "a small letter"),
    ("choice", ["A", "C"], "A, C", "several letters"),
    ("vqa", True, "yes", "true is yes"),
    ("vqa", False, "no", "false is no"),
    ("vqa", ["a red car", "car"], "a red car", "any of a list is right: the first"),
    ("vqa", 2.5, "2.5", "a number"),
    ("text", ["NYC", "New York"], "NYC", "any of a list is right: the first"),
    ("judge", ["NYC", "New York"], "NYC", "any of a list is right: the first"),
    ("ocr", "a\nb", "a\nb", "lines stay lines"),
    ("ocr", "\\boxed{E=mc^2}", "\\boxed{E=mc^2}", "a box is taken off both sides"),
    ("charts", True, "yes", "true is yes"),
    ("charts", 1e22, "1e+22", "a large number"),
    ("charts", "The answer is 5", "The answer is 5", "the same text, phrases and all"),
    ("charts", ["Red", "Blue"], "Red, Blue", "labels with commas between"),
    ("charts", [1.5, "2%"], "1.5, 2%", "numbers with commas between"),
    ("charts", [True, False], "yes, no", "truths in a list"),
    ("charts", ["Washington, D.C.", "Oslo"], '["Washington, D.C.", "Oslo"]', "a comma in a label"),
    ("charts", ["Paris and London", "Rome"], '["Paris and London", "Rome"]', "a label with and"),
    ("charts", ["1", "234"], "1, 234", "a space tells a list from a thousand"),
    ("charts", {"value": 2010, "kind": "year"}, "2010", "the value of an object"),
    ("charts", {"answer": ["a", "b"]}, "a, b", "the answer of an object"),
    ("charts", {"value": True, "kind": "yes/no"}, "yes", "a truth in an object"),
    ("charts", [["Year", "Sales"], [2010, 5]], "| Year | Sales |\n| 2010 | 5 |", "rows of a table"),
    ("charts", {"table": [["k", "v"], ["a|b", 1]]}, '[["k", "v"], ["a|b", 1]]', "a bar in a cell"),
    ("charts", "Year | Sales\n2010 | 5", "Year | Sales\n2010 | 5", "a table that is text"),
    ("charts", {"table": "k,v\na,1"}, "k,v\na,1", "a table that is text in an object"),
    ("gui", {**NORM, "action": "tap", "bbox": DOG}, '{"action": "tap", "point": [550.5, 550]}',
     "the middle of the box, under the name that the reference gives"),
    ("gui", {**NORM, "action": "click", "bbox": [[0, 0], [10, 20]]},
     '{"action": "click", "point": [5, 10]}', "a box as two corners"),
    ("gui", {**NORM, "action": "hover", "bboxes": [CAT, DOG]},
     '{"action": "hover", "point": [49.5, 49.5]}', "any of several boxes: the first"),
    ("gui", {"coord": "norm1", "action": "double_click", "bbox": [0, 0.5, 0.5, 1], "text": "OK"},
     '{"action": "double_click", "point": [0.25, 0.75]}', "a description is no argument"),
    ("gui", {"coord": "pixel", "image_size": [1920, 1080], "action": "long_press",
             "bbox": [0, 0, 1920, 1080]},
     '{"action": "long_press", "point": [960, 540]}', "pixels"),
    ("gui", {**NORM, "action": "right_click", "bbox": CAT},
     '{"action": "right_click", "point": [49.5, 49.5]}', "pointing with the other button"),
    *(
        ("gui", {**NORM, "action": name, "bbox": CAT},
         f'{{"action": "{name}", "point": [49.5, 49.5]}}', "other clicks of a mouse")
        for name in ("middle_click", "triple_click")
    ),
    ("gui", {"action": "click", "mark": 3}, '{"action": "click", "mark": 3}', "a numbered element"),
    ("gui", {**NORM, "action": "drag", "start_bbox": CAT, "end_bbox": DOG},
     '{"action": "drag", "start": [49.5, 49.5], "end": [550.5, 550]}', "both ends of a drag"),
    ("gui", {"action": "type", "text": "héllo"}, '{"action": "type", "text": "héllo"}', "text"),
    ("gui", {"action": "type", "text": 42}, '{"action": "type", "text": "42"}', "typed digits"),
    ("gui", {"action": "answer", "text": 5}, '{"action": "answer", "text": "5"}', "an answer"),
    ("gui", {"action": "scroll", "direction": "Down"},
     '{"action": "scroll", "direction": "Down"}', "a direction"),
    ("gui", {"action": "swipe", "direction": "left"},
     '{"action": "swipe", "direction": "left"}', "a direction"),
    ("gui", {"action": "open_app", "app": "Chrome"},
     '{"action": "open_app", "app": "Chrome"}', "an app"),
    ("gui", {"action": "select", "option": 3}, '{"action": "select", "option": "3"}', "an option"),
    ("gui", {"action": "hotkey", "keys": ["ctrl", "c"]},
     '{"action": "hotkey", "keys": ["ctrl", "c"]}', "keys as a list"),
    ("gui", {"action": "press", "keys": "ctrl+c"},
     '{"action": "press", "keys": "ctrl+c"}', "keys as text"),
    ("gui", {"action": "status", "status": "done"},
     '{"action": "status", "status": "done"}', "a status"),
    *(
        ("gui", {"action": name}, f'{{"action": "{name}"}}', "an action without arguments")
        for name in ("back", "home", "recent", "enter", "wait", "screenshot", "none")
    ),
    ("grounding", {**NORM, "mode": "single", "boxes": [CAT]}, "[[0, 0, 99, 99]]", "one box"),
    ("grounding", {**NORM, "mode": "single", "boxes": [[[0, 0], [9, 9]]]}, "[[0, 0, 9, 9]]",
     "a box as two corners"),
    ("grounding", {**NORM, "mode": "single", "boxes": []}, "[]", "nothing there"),
    ("grounding", {**NORM, "mode": "single", "boxes": [CAT], "labels": ["cat"]},
     '[{"bbox_2d": [0, 0, 99, 99], "label": "cat"}]', "a box with its label"),
    ("grounding", {"coord": "norm1", "mode": "multi", "boxes": [[0, 0, 0.5, 0.25]]},
     "[[0, 0, 0.5, 0.25]]", "fractions of the picture"),
    ("grounding", {**NORM, "mode": "multi", "boxes": [CAT, DOG], "labels": ["cat", 2]},
     '[{"bbox_2d": [0, 0, 99, 99], "label": "cat"}, {"bbox_2d": [500, 500, 601, 600], '
     '"label": "2"}]', "labels are text"),
    ("grounding", {**NORM, "mode": "point", "boxes": [CAT, DOG], "labels": ["cat", "dog"]},
     "[[49.5, 49.5], [550.5, 550]]", "the middle of each box"),
    ("grounding", {"mode": "temporal", "segment": [0.3333333333333333, 20], "duration": 60},
     "[0.3333333333333333, 20]", "more decimals than a clock has"),
]  # fmt: skip


@pytest.mark.parametrize(("domain", "reference", "written", "reason"), CASES)
def test_gold_answers_pass_their_own_verifier(
    domain: str, reference: Any, written: str, reason: str
) -> None:
    answer = gold_answer(domain, reference)
    assert answer == written, reason
    for bare, response in ((True, answer), (False, f"<answer>\\boxed{{{answer}}}</answer>")):
        verdict = verify(Request(domain=domain, response=response, reference=reference, bare=bare))
        assert verdict.score == 1.0, (reason, verdict)


def test_every_action_and_every_domain_has_a_case() -> None:
    actions = {reference["action"] for domain, reference, _, _ in CASES if domain == "gui"}
    assert {ALIASES[action] for action in actions} == set(ALIASES.values())
    with VerifierPool() as pool:
        assert {domain for domain, *_ in CASES} == set(pool.domains())


def test_a_long_table_passes_too() -> None:
    answer = gold_answer("charts", LONG_TABLE)
    assert answer is not None
    verdict = verify(Request(domain="charts", response=answer, reference=LONG_TABLE, bare=True))
    assert verdict.score == 1.0


@pytest.mark.parametrize(
    ("domain", "reference", "reason"),
    [
        ("math", None, "nothing"),
        ("math", True, "a truth is no number"),
        ("math", "", "no text"),
        ("math", {"value": 1}, "an object"),
        ("counting", [3], "a list"),
        ("vqa", [], "an empty list"),
        ("vqa", {"answer": "x"}, "an object"),
        ("text", [None], "a list of nothing"),
        ("ocr", " ", "spaces"),
        ("charts", {"value": None}, "an object without a value"),
        ("charts", [str(number) for number in range(300)], "more values than an answer may have"),
        ("gui", "click", "no object"),
        ("gui", {"action": "fly"}, "no such action"),
        ("gui", {"action": "click", "bbox": CAT}, "no space is declared"),
        ("gui", {**NORM, "action": "click", "bbox": [0, 0, 10**400, 9]}, "beyond all numbers"),
        ("gui", {"action": "hotkey", "keys": [1]}, "keys that are no text"),
        ("gui", {"action": "type"}, "no text to type"),
        ("grounding", {**NORM, "mode": "multi", "boxes": None}, "no boxes"),
        ("grounding", {"mode": "temporal", "segment": None}, "no segment"),
    ],
)
def test_references_that_are_not_valid_are_named_bad(
    domain: str, reference: Any, reason: str
) -> None:
    answer = gold_answer(domain, reference)
    assert answer is not None, reason
    request = Request(domain=domain, response=answer, reference=reference, bare=True)
    assert verify(request).outcome is Outcome.BAD_REFERENCE, reason


@pytest.mark.parametrize(
    ("reference", "written"),
    [("72", "72"), (72, "72"), (0.5, "0.5"), (True, None), (["a"], None), ({"a": 1}, None)],
)
def test_only_text_and_numbers_are_known_in_a_domain_of_the_users_own(
    reference: Any, written: str | None
) -> None:
    assert gold_answer("mine", reference) == written


def test_examples() -> None:
    assert doctest.testmod(rewards.gold).failed == 0
