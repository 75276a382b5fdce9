"""The table of dialects: names, spaces, agreement under ``auto``, gold answers, any text."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewards_gui_cases import CHROME, COPY, DOWN, SUCCESS, TYPE, drag, finding, judge, target

from rewards import Outcome, Request, VerifierPool, gold_answer
from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import SPACES, read_space
from rewards.gui.actions import ALIASES, POINTING, Action
from rewards.gui.dialects.dialect import Dialect
from rewards.gui.dialects.source import Source
from rewards.gui.dialects.table import (
    DIALECTS,
    DialectName,
    agreed,
    dialect_named,
    read_action,
)
from rewards.gui.vocabulary import direction_of, keys_of, status_of, travel

NAMES = sorted(DIALECTS)
FOREIGN = [name for name in NAMES if name != "plain"]
ALIKE = [
    {"ui_tars", "ui_tars_1_5"},
    {"qwen2_vl", "qwen2_5_vl", "qwen3_vl"},
    {"aguvis", "pyautogui"},
]
"""Dialects that differ in what their numbers count, not in how they are written."""


def test_the_names_of_the_setting_are_those_of_the_table() -> None:
    assert get_args(DialectName) == ("auto", *DIALECTS)
    assert dialect_named("auto") is None


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_an_entry_is_whole(dialect: Dialect) -> None:
    assert dialect.actions <= set(ALIASES.values())
    assert dialect.models
    assert dialect.source.endswith(".md") or dialect.source.startswith("https://")
    assert dialect.space is None or dialect.space in SPACES
    assert read_action(dialect.example, dialect).name == "click"


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("other", FOREIGN)
def test_a_named_dialect_reads_no_other(name: str, other: str) -> None:
    alike = name == other or any({name, other} <= group for group in ALIKE)
    if alike:
        assert read_action(DIALECTS[other].example, DIALECTS[name]).name == "click"
    else:
        with pytest.raises(AnswerError):
            read_action(DIALECTS[other].example, DIALECTS[name])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_named_dialect_does_not_read_our_own(name: str) -> None:
    with pytest.raises(AnswerError):
        read_action(DIALECTS["plain"].example, DIALECTS[name])


# -- spaces


@pytest.mark.parametrize("name", NAMES)
def test_a_space_is_implied_or_asked_for(name: str) -> None:
    """By the reference and the settings alone: no answer can make a reference bad."""
    dialect = DIALECTS[name]
    reference = {"action": "click", "bbox": target(dialect.space or "norm999")["bbox"]}
    if "place" not in dialect.targets:
        return
    right = gold_answer("gui", reference, {"dialect": name}) or ""
    for answer in (right, dialect.example, "nonsense", "[" * 20):
        outcome = judge(name, reference, answer)
        assert (outcome is Outcome.BAD_REFERENCE) == (dialect.space in (None, "pixel"))
    if dialect.space not in (None, "pixel"):
        assert judge(name, reference, right) is Outcome.CORRECT


def test_pixels_are_implied_where_the_size_is_given() -> None:
    reference = {"action": "click", "bbox": [100, 100, 200, 200], "image_size": [1000, 800]}
    assert judge("ui_tars_1_5", reference, "click(start_box='(150,150)')") is Outcome.CORRECT
    assert judge("ui_tars_1_5", reference, "click(start_box='(150,900)')") is Outcome.UNPARSEABLE
    with pytest.raises(BadReferenceError, match=r"image_size: expected \[width, height\]"):
        finding("ui_tars_1_5", {"action": "click", "bbox": [1, 1, 9, 9]}, "")


def test_what_the_reference_declares_goes_first() -> None:
    answer = "click(start_box='(150,150)')"
    assert judge("ui_tars", {"action": "click", "bbox": [100, 100, 200, 200]}, answer) is (
        Outcome.CORRECT
    )
    assert judge("ui_tars", target("norm1"), answer) is Outcome.UNPARSEABLE
    assert judge("ui_tars", target("pixel"), answer) is Outcome.CORRECT


@pytest.mark.parametrize(
    "reference", [{"action": "click", "bbox": [1, 1, 9, 9]}, {"action": "drag"}]
)
def test_with_auto_a_reference_declares_its_space(reference: dict[str, Any]) -> None:
    with pytest.raises(BadReferenceError, match="declare it, or name in the settings a dialect"):
        finding("auto", reference, "click(start_box='(5,5)')")


@pytest.mark.parametrize(("name", "limit"), [("norm999", 999), ("norm1000", 1000), ("norm1", 1)])
def test_spaces_end_where_they_say(name: str, limit: float) -> None:
    space = read_space({}, name)
    assert space.point([limit, 0]) == (limit, 0)
    with pytest.raises(AnswerError):
        space.point([limit + 0.001, 0])


def test_an_action_that_a_dialect_lacks_is_the_references_fault() -> None:
    with pytest.raises(BadReferenceError, match="the dialect os_atlas has no drag; it has back, "):
        finding("os_atlas", drag("norm1000"), "WAIT")


# -- agreement


def reading(action: Action | None, name: str) -> Dialect:
    """A dialect that reads every text as one action, or as none."""

    def read(source: Source) -> Action:
        if action is None:
            raise AnswerError("broken")
        return action

    return replace(DIALECTS["plain"], name=name, read=read)


CLICK, WAIT = Action("click", {"point": (1.0, 2.0)}), Action("wait", {})


@pytest.mark.parametrize(
    ("text", "actions", "reason"),
    [
        ("?", [CLICK, CLICK], "two agree"),
        ("?", [None, CLICK], "one reads it"),
        ('{"action": "click", "point": [1, 2]}', [CLICK], "so does our own form"),
        ('{"action": "tap", "coordinate": [1.0, 2]}', [CLICK], "other words of it"),
        ('{"action": "wait", "thought": "x"}', [CLICK], "unknown keys: ours does not count"),
    ],
)
def test_dialects_that_agree(text: str, actions: list[Action | None], reason: str) -> None:
    dialects = [reading(action, f"d{number}") for number, action in enumerate(actions)]
    assert agreed(Source(text), dialects) == CLICK, reason


@pytest.mark.parametrize(
    ("text", "actions", "names"),
    [
        ("?", [CLICK, WAIT], "d0 and d1"),
        ("?", [CLICK, CLICK, WAIT], "d0 and d2"),
        ("?", [CLICK, Action("click", {"point": (2.0, 1.0)})], "d0 and d1"),
        ('{"action": "wait"}', [CLICK], "d0 and plain"),
        ('{"action": "click", "point": [2, 1]}', [CLICK], "d0 and plain"),
    ],
)
def test_dialects_that_do_not_agree(text: str, actions: list[Action | None], names: str) -> None:
    dialects = [reading(action, f"d{number}") for number, action in enumerate(actions)]
    with pytest.raises(AnswerError, match=f"{names} read this differently"):
        agreed(Source(text), dialects)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Thought: x\nAction: click(start_box='(1,2)', element_info='x')",
            "ui_tars: click: expected the arguments start_box or point, found 'start_box', ",
        ),
        ("<tool_call>{}</tool_call><tool_call>{}</tool_call>", "expected one tool call, found 2"),
        ("CLICK <point>[[1]]</point>", "os_atlas: a point that does not parse"),
        ("hotkey(key='a', key='b')", "glm_computer, glm_web, ui_tars: key is given twice"),
        ("(1, 2", "neither JSON nor a plain literal"),
        ('{"action": "fly"}', "unknown action 'fly'"),
    ],
)
def test_what_is_broken_is_named(text: str, message: str) -> None:
    with pytest.raises(AnswerError) as caught:
        read_action(text)
    assert message in str(caught.value)


# -- writing and reading back

POINTS = st.tuples(st.integers(1, 998), st.integers(1, 998))
WORDS = (
    st.text("abcXYZ 012'\"\\,.:;()[]{}<>=é你\n", min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
NAMED = st.from_regex(r"[a-zA-Z][a-zA-Z ]{0,10}[a-z]", fullmatch=True)
KEYS = st.lists(st.sampled_from(["ctrl", "alt", "c", "f5", "enter"]), min_size=1, unique=True)
DIRECTIONS = st.sampled_from(["up", "down", "left", "right"])


def pointing(point: tuple[int, int]) -> dict[str, Any]:
    x, y = point
    return {"point": (x, y), "bbox": (x - 1, y - 1, x + 1, y + 1), "mark": str(x)}


@st.composite
def actions(draw: st.DrawFn, names: list[str]) -> Action:
    name = draw(st.sampled_from(names))
    if name in POINTING:
        return Action(name, pointing(draw(POINTS)))
    if name == "drag":
        return Action(name, {"start": draw(POINTS), "end": draw(POINTS)})
    arguments = {
        "type": ("text", WORDS), "answer": ("text", WORDS), "open_app": ("app", NAMED),
        "select": ("option", NAMED), "hotkey": ("keys", KEYS), "scroll": ("direction", DIRECTIONS),
        "swipe": ("direction", DIRECTIONS), "status": ("status", st.sampled_from(["success"])),
    }  # fmt: skip
    if name not in arguments:
        return Action(name, {})
    key, values = arguments[name]
    return Action(name, {key: draw(values)})


def meaning(action: Action) -> tuple[str, Any]:
    """An action, so that two ways of saying it are equal."""
    given = dict(action.arguments)
    if "mark" in given and not {"point", "bbox"} & given.keys():
        return action.name, given["mark"]
    if action.name in POINTING:
        x1, y1, x2, y2 = given.get("bbox") or (*given["point"], *given["point"])
        return action.name, ((x1 + x2) / 2, (y1 + y2) / 2)
    if "keys" in given:
        return action.name, keys_of(given["keys"])
    if "status" in given:
        return action.name, status_of(given["status"])
    if action.name in ("scroll", "swipe"):
        if "direction" not in given:
            return action.name, travel(given["start"], given["end"])
        return action.name, direction_of(given["direction"])
    return action.name, {
        key: tuple(v) if key in ("start", "end") else v for key, v in given.items()
    }


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    dialect = DIALECTS[name]
    action = data.draw(actions(sorted(dialect.actions)))
    text = dialect.write(action, None)
    if text is None:  # a direction in which the dialect does not scroll
        assert action.name == "scroll"
        return
    expected = meaning(action)
    if dialect.targets == {"mark"} and action.name in POINTING:
        expected = action.name, action.arguments["mark"]
    assert meaning(read_action(text, dialect)) == expected
    assert meaning(read_action(text, click_alone=True)) == expected


REFERENCES = [
    *({"action": name, "bbox": [0.1, 0.1, 0.2, 0.2]} for name in sorted(POINTING)),
    drag("norm1"), TYPE, DOWN, COPY, CHROME, SUCCESS, {"action": "swipe", "direction": "left"},
    {"action": "status", "status": "infeasible"}, {"action": "answer", "text": "it's \"4\""},
    {"action": "select", "option": "Red"}, {"action": "click", "mark": 7},
    *({"action": name} for name in ("back", "home", "recent", "enter", "wait", "none")),
]  # fmt: skip


@pytest.mark.parametrize("name", ["auto", *NAMES])
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: str(reference)[:60])
def test_a_gold_answer_is_in_the_dialect(name: str, reference: dict[str, Any]) -> None:
    reference = {**reference, "coord": "norm1"}
    answer = gold_answer("gui", reference, {"dialect": name})
    assert answer is not None
    outcome = judge(name, reference, answer)
    if outcome is Outcome.BAD_REFERENCE:
        assert not can_say(DIALECTS[name], reference)
    else:
        assert outcome is Outcome.CORRECT, answer


def can_say(dialect: Dialect, reference: dict[str, Any]) -> bool:
    """Whether a dialect has the action, the way to point, the direction and the status."""
    action = ALIASES[reference["action"]]
    target = "mark" if "mark" in reference else "place"
    if action not in dialect.actions or (action in POINTING and target not in dialect.targets):
        return False
    no_failure = dialect.name in ("ui_tars", "ui_tars_1_5", "gui_r1")
    return not (no_failure and reference.get("status") == "infeasible")


def test_a_pool_knows_its_settings() -> None:
    reference = {"action": "click", "bbox": [100, 100, 200, 200]}
    with VerifierPool(settings={"gui": {"dialect": "qwen3_vl"}}) as pool:
        assert pool.settings("gui") == {"dialect": "qwen3_vl"}
        assert pool.settings("math") == {}
        answer = gold_answer("gui", reference, pool.settings("gui"))
        assert answer is not None
        request = Request(domain="gui", response=answer, reference=reference, bare=True)
        assert pool.judge([request])[0].outcome is Outcome.CORRECT


# -- any text

PIECES = [
    "click", "(", ")", "[", "]", "{", "}", "'", '"', ",", ":", "=", "150", "NaN", "1e999", "\\",
    "start_box", "<point>", "</point>", "<|box_start|>", "<|box_end|>", "<tool_call>",
    "</tool_call>",
    "Action:", "Thought:", "Memory:", "\n", " ", "```", "pyautogui.", "CLICK ", "action_type",
    '{"action": "click", "coordinate": [150, 150]}', "click(start_box='(150,150)')", "null",
    "<|begin_of_box|>", "<|end_of_box|>", "__import__('os')", "Type [3]; [", "\x1b[31m", "\ud800",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(text=TEXTS, name=st.sampled_from(["auto", *NAMES]))
def test_any_text_is_read_or_refused(text: str, name: str) -> None:
    with suppress(AnswerError):
        read_action(text, dialect_named(name), click_alone=True)


HOSTILE = {
    "deep lists": "[" * 50_000 + "]" * 50_000,
    "deep calls": "click(" * 30_000 + ")" * 30_000,
    "deep objects": '{"action":' * 20_000 + "1" + "}" * 20_000,
    "signs": "click(" + "-" * 190_000 + "1)",
    "spaces": "click(" + " " * 190_000 + ")",
    "spaces in a point": "(1" + " " * 190_000 + ",2)",
    "spaces in a tag": "CLICK <point>" + " " * 190_000 + "</point>",
    "open tags": "<point>" * 25_000,
    "open tool calls": "<tool_call>" * 15_000,
    "labels": "Action:\n" * 20_000,
    "thoughts": "Thought: " + "x\n" * 90_000 + "Action: click(start_box='(1,2)')",
    "blank lines": "Thought: x" + "\n \t" * 60_000 + "Action: wait()",
    "quotes": "type(content='" + "'" * 190_000 + "')",
    "escapes": "type(content='" + "\\" * 190_000 + "')",
    "digits": "click(" + "9" * 190_000 + ", 1)",
    "fences": "```" * 60_000,
    "an open fence": "```" + " " * 190_000 + "x",
    "a thought of code": "f(" + ")" * 190_000 + "x\nAction: wait()",
    "a thought of dots": "Thought: x\n" + "a." * 90_000 + "\n```\nwait()\n```",
    "too long": "click(1, 2)" + " " * 300_000,
    "names": "a." * 90_000 + "b()",
    "imports": "import pyautogui\n" * 10_000 + "pyautogui.click(1, 2)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["auto", "ui_tars", "aguvis", "os_atlas", "point", "webvoyager"])
def test_hostile_text_takes_no_time(text: str, name: str) -> None:
    started = time.process_time()
    with suppress(AnswerError):
        read_action(text, dialect_named(name), click_alone=True)
    assert time.process_time() - started < 0.5


def test_nothing_runs(tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    code = f"open({str(canary)!r}, 'w').close()"
    for text in (
        f"pyautogui.click(x=__import__('builtins').exec({code!r}), y=1)",
        f"click(start_box=exec({code!r}))",
        f"[{{'action': 'click', 'point': exec({code!r})}}]",
        f"```python\nimport pyautogui\n{code}\n```",
        f"pyautogui.write(f'{{{code}}}')",
    ):
        for name in ("auto", *NAMES):
            with pytest.raises(AnswerError):
                read_action(text, dialect_named(name), click_alone=True)
    assert not canary.exists()


def test_reading_does_not_depend_on_what_was_read_before() -> None:
    texts = [dialect.example for dialect in DIALECTS.values()] * 2
    random.Random(0).shuffle(texts)
    first = {text: read_action(text, click_alone=True) for text in texts}
    assert all(read_action(text, click_alone=True) == first[text] for text in texts)
