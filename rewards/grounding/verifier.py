"""Grounding: boxes by IoU, several by optimal matching, points in boxes, segments of time.

score of several = matched / (predicted + reference - matched), so that spam and misses both
cost (GLM-4.1V's "boxes above the threshold over total boxes", with the total defined). Left
out: clipping, swapping corners and guessing the coordinate space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from rewards.errors import AnswerError, BadReferenceError
from rewards.geometry.boxes import Box, Space, numbers, read_space, reference_box
from rewards.geometry.matching import num_matched
from rewards.grounding.answers import Found, read_objects, read_segment
from rewards.grounding.dialects import DIALECTS, DialectName
from rewards.settings import Setting, Settings
from rewards.text.words import folded
from rewards.verdict import Finding, Request, correct, graded, wrong

MODES = ("single", "multi", "point", "temporal")
SPARE_BOXES = 50
_EPSILON = 1e-9


@dataclass(frozen=True, kw_only=True)
class GroundingSettings(Settings):
    """How boxes and segments are judged."""

    threshold: Annotated[
        float,
        Setting(
            description="The intersection over union from which a box or a segment counts.",
            gt=0,
            le=1,
        ),
    ] = 0.5
    score: Annotated[
        Literal["pass", "iou"],
        Setting(
            description="What one box or segment earns: with 'pass' 0 or 1, with 'iou' its "
            "intersection over union; the threshold is then the pass mark."
        ),
    ] = "pass"
    dialect: Annotated[
        DialectName,
        Setting(
            description="How the model writes boxes and points. A name is strict, and its "
            "coordinate space counts for references that declare none; with 'auto' any one "
            "notation is read, and references declare their space."
        ),
    ] = "auto"


class GroundingVerifier:
    """Judges boxes, points and segments."""

    def __init__(self, settings: GroundingSettings) -> None:
        self._settings = settings
        self._dialect = DIALECTS[settings.dialect]
        self.pass_mark = 1.0 if settings.score == "pass" else settings.threshold

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare by the mode the reference declares."""
        reference = request.reference
        if not isinstance(reference, Mapping):
            raise BadReferenceError(f"expected an object, found {type(reference).__name__}")
        mode = reference.get("mode")
        if mode not in MODES:
            raise BadReferenceError(f"mode: expected one of {', '.join(MODES)}, found {mode!r}")
        if mode == "temporal":
            return self._judge_segment(reference, answer)
        space = read_space(reference, self._dialect.space)
        if mode == "point" and not self._dialect.writes_points:
            raise BadReferenceError(f"mode: the dialect {self._dialect.name} has no points")
        boxes, labels = _read_boxes(space, reference, mode)
        if mode == "single":
            return self._judge_single(space, boxes, labels, answer)
        if mode == "point":
            return self._judge_points(space, boxes, labels, answer)
        return self._judge_several(space, boxes, labels, answer)

    def _judge_single(
        self, space: Space, boxes: list[Box], labels: list[str] | None, answer: str
    ) -> Finding:
        found = read_objects(answer, "bbox_2d", self._dialect.notations)
        if not boxes:
            return correct("nothing there") if not found else wrong("a box where nothing is")
        if len(found) != 1:
            return wrong(f"expected one box, found {len(found)}")
        if labels is not None and not _same_label(labels[0], found[0].label, optional=True):
            return wrong("another label")
        iou = space.box(found[0].value).iou(boxes[0])
        return self._from_iou(iou)

    def _from_iou(self, iou: float) -> Finding:
        passes = iou >= self._settings.threshold - _EPSILON
        if self._settings.score == "iou":
            return graded(1.0 if iou > 1 - _EPSILON else iou, f"IoU {iou:.3f}")
        return correct(f"IoU {iou:.3f}") if passes else wrong(f"IoU {iou:.3f}")

    def _judge_several(
        self, space: Space, boxes: list[Box], labels: list[str] | None, answer: str
    ) -> Finding:
        found = read_objects(answer, "bbox_2d", self._dialect.notations)
        early = _count_verdict(found, boxes)
        if early is not None:
            return early
        answered = [space.box(item.value) for item in found]
        threshold = self._settings.threshold - _EPSILON
        fits = [
            [
                box.iou(other) >= threshold
                and (labels is None or _same_label(labels[j], found[i].label, optional=False))
                for j, other in enumerate(boxes)
            ]
            for i, box in enumerate(answered)
        ]
        return _matched_verdict(num_matched(fits), len(found), len(boxes))

    def _judge_points(
        self, space: Space, boxes: list[Box], labels: list[str] | None, answer: str
    ) -> Finding:
        found = read_objects(answer, "point_2d", self._dialect.notations)
        early = _count_verdict(found, boxes)
        if early is not None:
            return early
        points = [space.point(item.value) for item in found]
        fits = [
            [
                box.holds(point)
                and (labels is None or _same_label(labels[j], found[i].label, optional=True))
                for j, box in enumerate(boxes)
            ]
            for i, point in enumerate(points)
        ]
        return _matched_verdict(num_matched(fits), len(found), len(boxes))

    def _judge_segment(self, reference: Mapping[str, Any], answer: str) -> Finding:
        start, end = _reference_segment(reference)
        duration = reference.get("duration")
        found_start, found_end = read_segment(answer)
        if found_start >= found_end:
            return wrong("the segment is empty or reversed")
        if duration is not None and found_end > float(duration) + _EPSILON:
            return wrong("beyond the end of the video")
        shared = max(0.0, min(end, found_end) - max(start, found_start))
        union = (end - start) + (found_end - found_start) - shared
        return self._from_iou(shared / union)


def _count_verdict(found: list[Found], boxes: list[Box]) -> Finding | None:
    """What the counts alone decide; the cap keeps spam from costing a large matching."""
    if not boxes:
        return correct("nothing there") if not found else wrong("boxes where nothing is")
    if not found:
        return wrong("nothing found")
    if len(found) > len(boxes) + SPARE_BOXES:
        return wrong(f"{len(found)} predictions for {len(boxes)} objects")
    return None


def _matched_verdict(matched: int, predicted: int, expected: int) -> Finding:
    score = matched / (predicted + expected - matched)
    return graded(score, f"{matched} matched of {predicted} predicted, {expected} there")


def _same_label(expected: str, found: str | None, *, optional: bool) -> bool:
    if found is None:
        return optional
    return folded(found) == folded(expected)


def _read_boxes(
    space: Space, reference: Mapping[str, Any], mode: str
) -> tuple[list[Box], list[str] | None]:
    values = reference.get("boxes")
    if not isinstance(values, list | tuple):
        raise BadReferenceError("boxes: expected a list of boxes")
    boxes = [reference_box(space, value) for value in values]
    if mode == "single" and len(boxes) > 1:
        raise BadReferenceError(f"boxes: expected one in mode single, found {len(boxes)}")
    labels = reference.get("labels")
    if labels is None:
        return boxes, None
    if not isinstance(labels, list | tuple) or len(labels) != len(boxes):
        raise BadReferenceError("labels: expected one for each box")
    return boxes, [str(label) for label in labels]


def _reference_segment(reference: Mapping[str, Any]) -> tuple[float, float]:
    try:
        start, end = numbers(reference.get("segment"), 2)
    except AnswerError as error:
        raise BadReferenceError("segment: expected [start, end] in seconds") from error
    duration = reference.get("duration")
    if duration is not None and (
        isinstance(duration, bool) or not isinstance(duration, int | float) or duration <= 0
    ):
        raise BadReferenceError("duration: expected seconds")
    if not 0 <= start < end or (duration is not None and end > duration):
        raise BadReferenceError(f"segment: [{start:g}, {end:g}] is out of order or range")
    return start, end
