"""Boxes and points in the notations of each family of models."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards import Outcome, Request, gold_answer
from rewards.errors import AnswerError
from rewards.grounding.answers import NOTATIONS, read_objects
from rewards.grounding.dialects import DIALECTS, DialectName
from rewards.registry import Registry

ONE = {"coord": "norm1000", "mode": "single", "boxes": [[100, 100, 200, 200]]}
TWO = {"coord": "norm1000", "mode": "multi", "boxes": [[0, 0, 99, 99], [500, 500, 600, 600]]}
LABELLED = {**TWO, "labels": ["cat", "dog"]}
POINTS = {**TWO, "mode": "point"}
JSON = {"plain", "glm", "qwen2_5_vl", "qwen3_vl", "auto"}
TAGS = {"qwen_vl", "internvl", "auto"}
TOKENS = {"qwen2_vl", "auto"}
TAGGED_POINTS = {"auto"}

# answer → (reference, the dialects that read it, why)
RIGHT: list[tuple[str, dict[str, Any], set[str], str]] = [
    ("[[100, 100, 200, 200]]", ONE, JSON, "GLM, inside its box"),
    ('{"bbox_2d": [100, 100, 200, 200], "label": "cat"}', ONE, JSON, "Qwen2.5-VL"),
    ('```json\n[{"bbox_2d": [100, 100, 200, 200], "label": "cat"}]\n```', ONE, JSON, "a fence"),
    ("It is <|begin_of_box|>[[100,100,200,200]]<|end_of_box|>.", ONE, JSON, "prose around GLM's"),
    ("<box>100,100,200,200</box>", ONE, TAGS, "numbers alone"),
    ("<box>(100,100),(200,200)</box>", ONE, TAGS, "corners"),
    ("<ref>the cat</ref><box>(100,100),(200,200)</box>", ONE, TAGS, "Qwen-VL"),
    ("<ref>the cat</ref><box>[[100, 100, 200, 200]]</box>", ONE, TAGS, "InternVL"),
    ("<box>100 100 200 200</box>", ONE, TAGS, "spaces"),
    ("<box>(100, 100, 200, 200)</box>", ONE, TAGS, "round brackets"),
    ("<box>[100, 100, 200, 200]</box>", ONE, TAGS, "square brackets"),
    ("The cat: <box>(100,100),(200,200)</box>.", ONE, TAGS, "prose around it"),
    ("<|box_start|>(100,100),(200,200)<|box_end|>", ONE, TOKENS, "Qwen2-VL"),
    (
        "<|object_ref_start|>the cat<|object_ref_end|><|box_start|>(100,100),(200,200)<|box_end|>",
        ONE,
        TOKENS,
        "with its label",
    ),
    (
        "<ref>cat</ref><box>(0,0),(99,99)</box><ref>dog</ref><box>(500,500),(600,600)</box>",
        LABELLED,
        TAGS,
        "two boxes, two labels",
    ),
    ("<ref>x</ref><box>[[0, 0, 99, 99], [500, 500, 600, 600]]</box>", TWO, TAGS, "two in one tag"),
    ("[[50, 50], [550, 550]]", POINTS, JSON, "points"),
    ("<point>50 50</point><point>550, 550</point>", POINTS, TAGGED_POINTS, "points in tags"),
    ("<point>[[50,50]]</point> <point>(550, 550)</point>", POINTS, TAGGED_POINTS, "in brackets"),
    (
        "<|box_start|>(50,50)<|box_end|><|box_start|>(550,550)<|box_end|>",
        POINTS,
        TOKENS,
        "points in tokens",
    ),
]
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("<box>300,300,400,400</box>", ONE, "outside"),
    ("<box>200,200,100,100</box>", ONE, "corners out of order"),
    ("<box>100,100,200,1200</box>", ONE, "beyond the picture"),
    ("<box>0.1,0.1,0.2,0.2</box>", ONE, "another space"),
    ("<box>100,100,200</box>", ONE, "three numbers"),
    ("<box>100,100,nan,200</box>", ONE, "not finite"),
    ("<box>100,100,1e3,200</box>", ONE, "no plain number"),
    ("<box>[[true,100,200,200]]</box>", ONE, "a truth"),
    ('<box>[["100",100,200,200]]</box>', ONE, "text"),
    ("<box>100,100,200,200", ONE, "not closed"),
    ("<box></box>", ONE, "empty"),
    ("<box>100,100,200,200</box><box>100,100,200,200</box>", ONE, "two boxes"),
    ("<box>100,100,200,200</box> or [300,300,400,400]", ONE, "two notations"),
    ("[300,300,400,400] <box>100,100,200,200</box>", ONE, "two notations, turned round"),
    ("<box>100,100,200,200</box><|box_start|>(1,1),(2,2)<|box_end|>", ONE, "tags and tokens"),
    ("<|box_start|>(100,100),(200,200)<|box_end|> or [[1, 1, 2, 2]]", ONE, "tokens and JSON"),
    ("<box><box>100,100,200,200</box></box>", ONE, "nested"),
    ("<box>__import__('os')</box>", ONE, "code"),
    ("<point>150 150</point>", ONE, "a point for a box"),
    ("<point>50 50</point>", {**POINTS, "boxes": [[60, 60, 99, 99]]}, "outside the box"),
    ("<point>50</point>", POINTS, "one number"),
    ("<ref>dog</ref><box>(0,0),(99,99)</box>", {**LABELLED, "boxes": [[0, 0, 99, 99]],
                                                "labels": ["cat"]}, "another label"),
]  # fmt: skip


def judge(dialect: str, reference: Any, answer: str) -> Outcome:
    registry = Registry(settings={"grounding": {"dialect": dialect}})
    request = Request(domain="grounding", response=answer, reference=reference, bare=True)
    return registry.judge(request).outcome


def test_the_names_of_the_setting_are_those_of_the_table() -> None:
    assert get_args(DialectName) == tuple(DIALECTS)
    assert {notation for d in DIALECTS.values() for notation in d.notations} == NOTATIONS


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(("answer", "reference", "readers", "reason"), RIGHT)
def test_right(name: str, answer: str, reference: Any, readers: set[str], reason: str) -> None:
    outcome = judge(name, reference, answer)
    if reference["mode"] == "point" and not DIALECTS[name].writes_points:
        assert outcome is Outcome.BAD_REFERENCE
    elif name in readers:
        assert outcome is Outcome.CORRECT, reason
    else:
        assert outcome in (Outcome.UNPARSEABLE, Outcome.WRONG), reason


@pytest.mark.parametrize("name", ["auto", "qwen_vl", "internvl"])
@pytest.mark.parametrize(("answer", "reference", "reason"), WRONG)
def test_wrong(name: str, answer: str, reference: Any, reason: str) -> None:
    if name != "auto" and reference["mode"] == "point":
        return
    assert judge(name, reference, answer) in (Outcome.WRONG, Outcome.UNPARSEABLE), reason


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("reference", [ONE, TWO, LABELLED, POINTS], ids=lambda r: str(r)[:40])
def test_a_space_is_implied_or_asked_for(name: str, reference: dict[str, Any]) -> None:
    open_space = {key: value for key, value in reference.items() if key != "coord"}
    dialect = DIALECTS[name]
    answer = gold_answer("grounding", open_space, {"dialect": name}) or ""
    outcome = judge(name, open_space, answer)
    if dialect.space in (None, "pixel") or (reference is POINTS and not dialect.writes_points):
        assert outcome is Outcome.BAD_REFERENCE
    else:
        assert outcome is Outcome.CORRECT, answer


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("boxes", [[], [[0, 0, 99, 99]]])
def test_a_gold_answer_is_in_the_dialect(name: str, boxes: list[Any]) -> None:
    reference = {**TWO, "boxes": boxes}
    answer = gold_answer("grounding", reference, {"dialect": name})
    assert answer is not None
    assert judge(name, reference, answer) is Outcome.CORRECT


def test_pixels_of_the_resized_picture_need_its_size() -> None:
    reference = {"mode": "single", "boxes": [[100, 100, 200, 200]], "image_size": [644, 476]}
    answer = '[{"bbox_2d": [100, 100, 200, 200], "label": "cat"}]'
    assert judge("qwen2_5_vl", reference, answer) is Outcome.CORRECT
    assert judge("qwen2_5_vl", {**reference, "image_size": None}, answer) is Outcome.BAD_REFERENCE


PIECES = [
    *("<box>", "</box>", "<ref>", "</ref>", "<|box_start|>", "<|box_end|>", "<point>", "</point>"),
    *("1", ",", "(", ")", "[", "]", " ", "NaN", "[[1, 2, 3, 4]]", "{", '"bbox_2d":'),
]
TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=TEXTS, key=st.sampled_from(["bbox_2d", "point_2d"]))
def test_any_text_is_read_or_refused(text: str, key: str) -> None:
    with suppress(AnswerError):
        read_objects(text, key)


@pytest.mark.parametrize(
    "text",
    [
        "<box>" * 30_000,
        "<box>" + " " * 190_000 + "</box>",
        "<ref>" * 30_000 + "<box>1,1,2,2</box>",
        "<box>1,1,2,2</box>" * 10_000,
        "<box>" + "[" * 15_000 + "]" * 15_000 + "</box>",
        "<box>1" + " " * 19_000 + ",1,2,2</box>",
        "<|box_start|>" * 15_000,
        "<point>" * 25_000 + "</point>" * 1_000,
        "```" + " " * 190_000,
        "x ```" + "\n" * 190_000 + "[1, 1, 2, 2]",
        "x " + "``` " * 45_000,
    ],
    ids=range(11),
)
def test_hostile_text_takes_no_time(text: str) -> None:
    started = time.process_time()
    with suppress(AnswerError):
        read_objects(text, "bbox_2d")
    assert time.process_time() - started < 0.5
