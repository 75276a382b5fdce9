"""Sums with dots, such as ``1 + 2 + … + n``: the same terms in either order."""

from __future__ import annotations

from rewards.errors import AlgebraNeeded
from rewards.math.comparing.values import same_value
from rewards.math.evaluating.exact import TooLarge, Undefined
from rewards.math.evaluating.numeric import Unevaluable
from rewards.math.reading.ellipsis import ELLIPSIS
from rewards.math.tree import Node, Sum, difference

_Shown = tuple[tuple[Node, ...], tuple[Node, ...]]


def same_with_dots(reference: Node, answer: Node) -> bool:
    """Whether both are sums with dots that begin, go on and end in the same way.

    The steps next to the dots are compared where both show them; a step that only one of them
    shows at the start must be the one that the other shows at its end.
    """
    expected, found = _shown(reference), _shown(answer)
    if expected is None or found is None:
        return False
    return _same_course(expected, found) or _same_course(expected, _reversed(found))


def _shown(node: Node) -> _Shown | None:
    """The terms before and after the dots."""
    if not isinstance(node, Sum) or node.terms.count(ELLIPSIS) != 1:
        return None
    at = node.terms.index(ELLIPSIS)
    before, after = node.terms[:at], node.terms[at + 1 :]
    return (before, after) if before and after else None


def _reversed(shown: _Shown) -> _Shown:
    return shown[1][::-1], shown[0][::-1]


def _same_course(one: _Shown, other: _Shown) -> bool:
    if not _same(one[0][0], other[0][0]) or not _same(one[1][-1], other[1][-1]):
        return False
    pairs = list(zip(_steps(one), _steps(other), strict=True))
    shown_by_both = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not shown_by_both:
        (start, other_start), (end, other_end) = pairs
        crossed = ((start, other_end), (other_start, end))
        shown_by_both = [(a, b) for a, b in crossed if a is not None and b is not None]
    return bool(shown_by_both) and all(_same(a, b) for a, b in shown_by_both)


def _steps(shown: _Shown) -> tuple[Node | None, Node | None]:
    """The step from the first term to the second, and that from the last but one to the last."""
    before, after = shown
    return (
        difference(before[1], before[0]) if len(before) > 1 else None,
        difference(after[-1], after[-2]) if len(after) > 1 else None,
    )


def _same(one: Node, other: Node) -> bool:
    try:
        return same_value(one, other)
    except (AlgebraNeeded, TooLarge, Undefined, Unevaluable):
        return one == other
