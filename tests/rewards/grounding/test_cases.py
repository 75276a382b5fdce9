"""Grounding verdicts, in tables: each says why its answers pass or fail."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import Outcome, Request, VerifierPool, verify

SINGLE = {"coord": "norm999", "mode": "single", "boxes": [[100, 100, 200, 200]]}
NOTHING = {"coord": "norm999", "mode": "multi", "boxes": []}
TWO = {"coord": "norm999", "mode": "multi", "boxes": [[0, 0, 100, 100], [500, 500, 600, 600]]}
LABELLED = {**TWO, "labels": ["cat", "dog"]}
PIXEL = {"coord": "pixel", "image_size": [640, 480], "mode": "single", "boxes": [[0, 0, 64, 48]]}
POINTS = {**TWO, "mode": "point"}
SEGMENT = {"mode": "temporal", "segment": [10, 20], "duration": 60}

# reason → (reference, answer → score)
CASES: dict[str, list[tuple[Any, dict[str, float]]]] = {
    "one box, in every usual notation": [
        (
            SINGLE,
            {
                "[[100, 100, 200, 200]]": 1.0,
                "[100, 100, 200, 200]": 1.0,
                "[[100, 100], [200, 200]]": 1.0,
                '{"bbox_2d": [100, 100, 200, 200], "label": "cat"}': 1.0,
                '```json\n[{"bbox_2d": [100, 100, 200, 200]}]\n```': 1.0,
                "<|box_start|>(100,100),(200,200)<|box_end|>": 1.0,
                "The cat is at [100, 100, 200, 200].": 1.0,
                "[100.0, 100.0, 200.0, 150.0]": 1.0,
                "[100, 100, 200, 149]": 0.0,
                "[300, 300, 400, 400]": 0.0,
                "[0, 0, 999, 999]": 0.0,
            },
        ),
        (PIXEL, {"[0, 0, 64, 48]": 1.0, "[0, 0, 0.1, 0.1]": 0.0, "[0, 0, 641, 48]": 0.0}),
    ],
    "never clipped, never guessed": [
        (
            SINGLE,
            {
                "[200, 200, 100, 100]": 0.0,
                "[100, 100, 200, 1200]": 0.0,
                "[0.1, 0.1, 0.2, 0.2]": 0.0,
                "[100, 100, 200]": 0.0,
                "[100, 100, 100, 200]": 0.0,
                "[true, 100, 200, 200]": 0.0,
                "[100, 100, 200, NaN]": 0.0,
                "[[100, 100, 200, 200], [100, 100, 200, 200]]": 0.0,
                "[100, 100, 200, 200] or [300, 300, 400, 400]": 0.0,
                "100, 100, 200": 0.0,
                "[__import__('os')]": 0.0,
                "[]": 0.0,
                "": 0.0,
            },
        )
    ],
    "several: extras and misses both cost": [
        (
            TWO,
            {
                "[[0,0,100,100],[500,500,600,600]]": 1.0,
                "[[500,500,600,600],[0,0,100,100]]": 1.0,
                "[[0,0,100,100]]": 0.5,
                "[[0,0,100,100],[500,500,600,600],[700,700,800,800]]": 2 / 3,
                "[[0,0,100,100],[0,0,100,100]]": 1 / 3,
                "[[700,700,800,800]]": 0.0,
                str([[0, 0, 100, 100]] * 400): 0.0,
            },
        ),
        (NOTHING, {"[]": 1.0, "none": 1.0, "[[1,1,2,2]]": 0.0}),
    ],
    "labels are compared when the reference has them": [
        (
            LABELLED,
            {
                '[{"bbox_2d":[0,0,100,100],"label":"Cat"},'
                '{"bbox_2d":[500,500,600,600],"label":"dog"}]': 1.0,
                '[{"bbox_2d":[0,0,100,100],"label":"dog"},'
                '{"bbox_2d":[500,500,600,600],"label":"cat"}]': 0.0,
                "[[0,0,100,100],[500,500,600,600]]": 0.0,
            },
        )
    ],
    "points one to one inside their boxes": [
        (
            POINTS,
            {
                "[[50, 50], [550, 550]]": 1.0,
                '[{"point_2d": [50, 50]}, {"point_2d": [550, 550]}]': 1.0,
                "[[50, 50]]": 0.5,
                "[[50, 50], [60, 60]]": 1 / 3,
                "[[0, 0], [600, 600]]": 1.0,
                "[[1050, 50], [550, 550]]": 0.0,
            },
        )
    ],
    "segments in seconds or on the clock": [
        (
            SEGMENT,
            {
                "[10, 20]": 1.0,
                "0:10 - 0:20": 1.0,
                "from 00:10 to 00:20": 1.0,
                '{"start": 10, "end": 20}': 1.0,
                "10s to 15s": 1.0,
                "[10, 14]": 0.0,
                "[-10, 20]": 0.0,
                "-10 - 20": 0.0,
                "[20, 10]": 0.0,
                "[10, 90]": 0.0,
                "12": 0.0,
                "[0, 60]": 0.0,
            },
        )
    ],
}


def judge(reference: Any, answer: str) -> tuple[float, Outcome]:
    verdict = verify(Request(domain="grounding", response=answer, reference=reference, bare=True))
    return verdict.score, verdict.outcome


@pytest.mark.parametrize(
    ("reason", "reference", "answer", "score"),
    [
        (reason, reference, answer, score)
        for reason, rows in CASES.items()
        for reference, answers in rows
        for answer, score in answers.items()
    ],
)
def test_case(reason: str, reference: Any, answer: str, score: float) -> None:
    found, outcome = judge(reference, answer)
    assert found == pytest.approx(score), reason
    assert outcome not in (Outcome.ERROR, Outcome.BAD_REFERENCE, Outcome.TIMEOUT)


@pytest.mark.parametrize(
    "reference",
    [
        "[0, 0, 1, 1]",
        {**SINGLE, "mode": "many"},
        {**SINGLE, "coord": "percent"},
        {**PIXEL, "image_size": None},
        {**SINGLE, "boxes": [[0, 0, 1, 1], [2, 2, 3, 3]]},
        {**SINGLE, "boxes": [[5, 5, 1, 1]]},
        {**TWO, "labels": ["cat"]},
        {"mode": "temporal", "segment": [20, 10]},
        {"mode": "temporal", "segment": [10, 90], "duration": 60},
    ],
)
def test_bad_references_are_named(reference: Any) -> None:
    assert judge(reference, "[[1, 1, 2, 2]]")[1] is Outcome.BAD_REFERENCE


def test_the_iou_itself_as_the_score() -> None:
    settings = {"grounding": {"score": "iou", "threshold": 0.4}}
    with VerifierPool(settings=settings) as pool:
        (verdict,) = pool.judge(
            [Request(domain="grounding", response="[100,100,200,149]", reference=SINGLE, bare=True)]
        )
        assert verdict.score == pytest.approx(0.49)
        assert pool.passed("grounding", verdict)
