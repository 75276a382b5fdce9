"""Sets of reals as intervals with numerical ends: union, intersection, difference, sameness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from rewards.math.evaluating.numeric import DIGITS, context


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval, or a point when both ends are the same and closed."""

    low: Any
    high: Any
    low_closed: bool
    high_closed: bool


# In normal form: sorted, and no two of them touch.
RealSet = list[Interval]


def same_set(one: RealSet, other: RealSet) -> bool:
    """Whether two sets in normal form are the same."""
    if len(one) != len(other):
        return False
    return all(
        _equal(a.low, b.low)
        and _equal(a.high, b.high)
        and (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        for a, b in zip(one, other, strict=True)
    )


def point(value: Any) -> Interval:
    """Return the interval that holds one value."""
    return Interval(value, value, True, True)


def _equal(one: Any, other: Any) -> bool:
    mp = context()
    if not mp.isfinite(one) or not mp.isfinite(other):
        return bool(one == other)
    return bool(abs(one - other) <= mp.mpf(10) ** (15 - DIGITS) * max(1, abs(one), abs(other)))


def complement(parts: RealSet) -> RealSet:
    """Return all reals that are not in a set in normal form."""
    mp = context()
    low, closed = -mp.inf, False
    gaps: RealSet = []
    for part in parts:
        if low < part.low or (low == part.low and closed and not part.low_closed):
            gaps.append(Interval(low, part.low, closed, not part.low_closed))
        low, closed = part.high, not part.high_closed
    if low < mp.inf:
        gaps.append(Interval(low, mp.inf, closed, False))
    return [with_open_infinity(gap) for gap in gaps]


def with_open_infinity(interval: Interval) -> Interval:
    """Return ``interval`` with no infinite end closed."""
    mp = context()
    return Interval(
        interval.low,
        interval.high,
        interval.low_closed and bool(mp.isfinite(interval.low)),
        interval.high_closed and bool(mp.isfinite(interval.high)),
    )


def combined(kind: str, left: RealSet, right: RealSet) -> RealSet:
    """Return the union, intersection or difference of two sets in normal form."""
    if kind == "union":
        return normal(left + right)
    if kind == "difference":
        right = complement(right)
    intervals = []
    for one in left:
        for other in right:
            low, low_closed = _tighter(one.low, one.low_closed, other.low, other.low_closed, 1)
            high, high_closed = _tighter(
                one.high, one.high_closed, other.high, other.high_closed, -1
            )
            if low < high or (low == high and low_closed and high_closed):
                intervals.append(Interval(low, high, low_closed, high_closed))
    return normal(intervals)


def _tighter(one: Any, one_closed: bool, other: Any, other_closed: bool, sign: int) -> Any:
    if _equal(one, other):
        return one, one_closed and other_closed
    return (one, one_closed) if sign * one > sign * other else (other, other_closed)


def normal(intervals: list[Interval]) -> RealSet:
    """Return the normal form: sorted, with intervals that touch joined."""

    def order(a: Interval, b: Interval) -> int:
        if not _equal(a.low, b.low):
            return -1 if a.low < b.low else 1
        return int(b.low_closed) - int(a.low_closed)

    joined: RealSet = []
    for interval in sorted(intervals, key=cmp_to_key(order)):
        last = joined[-1] if joined else None
        if last is None or not _touch(last, interval):
            joined.append(interval)
            continue
        if _equal(last.high, interval.high):
            high, closed = last.high, last.high_closed or interval.high_closed
        elif last.high > interval.high:
            high, closed = last.high, last.high_closed
        else:
            high, closed = interval.high, interval.high_closed
        joined[-1] = Interval(last.low, high, last.low_closed, closed)
    return joined


def _touch(left: Interval, right: Interval) -> bool:
    if _equal(left.high, right.low):
        return left.high_closed or right.low_closed
    return bool(right.low < left.high)
