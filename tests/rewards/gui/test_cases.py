"""GUI verdicts, in tables: each says why its answers pass or fail."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import Outcome, Request, VerifierPool, verify

CLICK = {"coord": "norm999", "action": "click", "bbox": [100, 100, 200, 200]}
PIXEL = {"coord": "pixel", "image_size": [1920, 1080], "action": "click", "bbox": [0, 0, 50, 50]}
TYPE = {"coord": "norm999", "action": "type", "text": "Hello World"}
SCROLL = {"coord": "norm999", "action": "scroll", "direction": "down"}
DRAG = {
    "coord": "norm1",
    "action": "drag",
    "start_bbox": [0.1, 0.1, 0.2, 0.2],
    "end_bbox": [0.8, 0.8, 0.9, 0.9],
}
APP = {"action": "open_app", "app": "Google Chrome"}
SELECT = {"action": "select", "option": "Dark mode"}
KEYS = {"action": "hotkey", "keys": ["ctrl", "c"]}
STATUS = {"action": "status", "status": "success"}
NONE = {"coord": "norm999", "action": "none"}
EITHER = {"coord": "norm999", "action": "click", "bboxes": [[0, 0, 10, 10], [900, 900, 999, 999]]}

# reason → (reference, answers that pass, answers that fail)
CASES: dict[str, list[tuple[Any, list[str], list[str]]]] = {
    "a point inside the box, edges included": [
        (
            CLICK,
            [
                '{"action": "click", "point": [150, 150]}',
                '{"action": "click", "point": [100, 200]}',
                '```json\n{"action": "click", "point": [150.5, 150]}\n```',
                "{'action': 'click', 'point': (150, 150)}",
                "click(point=[150, 150])",
                "click(150, 150)",
                '{"action": "tap", "point": [150, 150]}',
                '{"name": "click", "arguments": {"coordinate": [150, 150]}}',
                '{"action": "click", "point": [150, 150], "thought": "the gear", "amount": 3}',
            ],
            [
                '{"action": "click", "point": [99, 150]}',
                '{"action": "click", "point": [150, 201]}',
                '{"action": "double_click", "point": [150, 150]}',
                '{"action": "type", "text": "150"}',
                '{"action": "click"}',
                '{"action": "click", "point": [true, 150]}',
                '{"action": "click", "point": ["150", "150"]}',
                '{"action": "click", "point": [0.15, 0.15]}',
                '{"action": "click", "point": [NaN, 150]}',
                '{"action": "click", "point": [1150, 150]}',
                '{"action": "click", "point": [150, 150, 150]}',
                '{"action": "click", "point": [150, 150], "bbox": [100, 100, 200, 200]}',
                '{"action": "click", "point": [150, 150], "x": 500, "y": 500}',
                '{"action": "click", "point": [150, 150], "coordinate2": [500, 500]}',
                '[{"action": "click", "point": [150, 150]}, {"action": "click", "point": [9, 9]}]',
                "click(point=[100+50, 150])",
                "click(point=__import__('os').getcwd())",
                'I would click {"action": "click", "point": [150, 150]}',
                '{"action": "c", "point": [150, 150]}',
                "click",
                "",
            ],
        ),
        (PIXEL, ['{"action":"click","point":[25,25]}'], ['{"action":"click","point":[-1,25]}']),
        (
            EITHER,
            ['{"action":"click","point":[5,5]}', '{"action":"click","point":[950,950]}'],
            ['{"action":"click","point":[500,500]}'],
        ),
    ],
    "a box by its centre, when its area is comparable": [
        (
            CLICK,
            ['{"action":"click","bbox":[110,110,190,190]}'],
            [
                '{"action":"click","bbox":[0,0,300,300]}',
                '{"action":"click","bbox":[149,149,151,151]}',
                '{"action":"click","bbox":[190,190,110,110]}',
                '{"action":"click","bbox":[190,190,290,290]}',
            ],
        )
    ],
    "typed text is equal after trimming, case matters": [
        (
            TYPE,
            ['{"action":"type","text":" Hello World\\n"}', "type('Hello World')"],
            ['{"action":"type","text":"hello world"}', '{"action":"type","text":"Hello"}'],
        )
    ],
    "directions": [
        (
            SCROLL,
            ['{"action":"scroll","direction":"down"}', '{"action":"scroll","direction":"DOWN"}'],
            [
                '{"action":"scroll","direction":"up"}',
                '{"action":"scroll"}',
                '{"action":"swipe","direction":"down"}',
                '{"action":"scroll","direction":"d"}',
            ],
        )
    ],
    "both ends of a drag": [
        (
            DRAG,
            ['{"action":"drag","start":[0.15,0.15],"end":[0.85,0.85]}'],
            [
                '{"action":"drag","start":[0.85,0.85],"end":[0.15,0.15]}',
                '{"action":"drag","start":[0.15,0.15]}',
                '{"action":"drag","start":[150,150],"end":[850,850]}',
            ],
        )
    ],
    "names fold case, keys are sets, statuses have synonyms": [
        (APP, ['{"action":"open_app","app":"google chrome"}'], ['{"action":"open_app","app":"g"}']),
        (SELECT, ['{"action":"select","option":"dark  Mode"}'], ['{"action":"select"}']),
        (
            KEYS,
            [
                '{"action":"hotkey","keys":["C","Control"]}',
                '{"action":"hotkey","keys":"ctrl+c"}',
                '{"action":"press","keys":"Ctrl C"}',
            ],
            ['{"action":"hotkey","keys":["c"]}', '{"action":"hotkey","keys":["ctrl","v"]}'],
        ),
        (
            {"action": "hotkey", "keys": ["enter"]},
            ['{"action":"hotkey","keys":"Return"}'],
            ['{"action":"hotkey","keys":"esc"}'],
        ),
        (
            STATUS,
            ['{"action":"status","status":"complete"}', '{"action":"finished"}'],
            ['{"action":"status","status":"failure"}', '{"action":"status"}'],
        ),
        (NONE, ['{"action":"none"}', "none" if False else "null"], ['{"action":"wait"}']),
    ],
}


def judge(reference: Any, answer: str) -> tuple[float, Outcome]:
    verdict = verify(Request(domain="gui", response=answer, reference=reference, bare=True))
    return verdict.score, verdict.outcome


@pytest.mark.parametrize(
    ("reason", "reference", "answer", "passes"),
    [
        (reason, reference, answer, passes)
        for reason, rows in CASES.items()
        for reference, right, wrong in rows
        for passes, answers in ((True, right), (False, wrong))
        for answer in answers
    ],
)
def test_case(reason: str, reference: Any, answer: str, passes: bool) -> None:
    score, outcome = judge(reference, answer)
    assert (score == 1.0) == passes, reason
    assert outcome in (
        Outcome.CORRECT, Outcome.WRONG, Outcome.UNPARSEABLE, Outcome.NO_ANSWER
    )  # fmt: skip


@pytest.mark.parametrize(
    "reference",
    [
        "click",
        {"action": "fly"},
        {"action": "click", "bbox": [0, 0, 1, 1]},
        {"action": "click", "coord": "pixel", "bbox": [0, 0, 1, 1]},
        {"action": "click", "coord": "norm1", "bbox": [0, 0, 9, 9]},
        {"action": "click", "coord": "norm1", "bbox": [0.5, 0, 0.1, 1]},
        {"action": "type", "coord": "norm1"},
        {"action": "scroll", "direction": "sideways"},
    ],
)
def test_bad_references_are_named(reference: Any) -> None:
    assert judge(reference, '{"action": "none"}')[1] is Outcome.BAD_REFERENCE


def test_shaped_scores_never_pass() -> None:
    answers = [f'{{"action":"click","point":[{x},150]}}' for x in (150, 210, 900)]
    with VerifierPool(settings={"gui": {"shaped": "distance"}}) as pool:
        scores = [
            verdict.score
            for verdict in pool.judge(
                [Request(domain="gui", response=a, reference=CLICK, bare=True) for a in answers]
            )
        ]
        assert scores[0] == 1.0 > scores[1] > scores[2] > 0.0
        assert pool.pass_mark("gui") == 1.0
