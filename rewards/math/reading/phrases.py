"""Answers in words: no solution, all reals, undefined, yes and no, and plain text."""

from __future__ import annotations

import re

from rewards.math.tree import Constant, NamedSet, Node, Number, Words, negated
from rewards.text import english

_EMPTY = re.compile(
    r"(?:there (?:is|are|exists?) )?no (?:such |real |integer |valid |possible |feasible )*"
    r"(?:solutions?|roots?|values?|answers?|numbers?|integers?|x)(?: exists?)?"
    r"|(?:has )?no (?:real )?solutions?|none|(?:the )?empty ?set|null set|(?:no|zero) solutions?"
    r"|无解|空集|没有解|无实数?[解根]|不存在实数?[解根]|方程无解|没有实数?[解根]"
)
_REALS = re.compile(
    r"(?:all|any|every) (?:real|reals)(?: numbers?| values?)?|(?:all )?real numbers|all reals"
    r"|全体实数|一切实数|任意实数|所有实数|实数集"
)
_UNDEFINED = re.compile(
    r"(?:the limit )?does ?n[o']?t exist|doesn t exist|d\.?n\.?e\.?|undefined|not defined"
    r"|indeterminate"
    r"|不存在|极限不存在|无意义"
)
_INFINITY = re.compile(r"(?:positive |plus )?infinity|infinite|无穷大?|正无穷大?")
_MINUS_INFINITY = re.compile(r"(?:negative|minus) infinity|负无穷大?")
_INFINITELY_MANY = re.compile(
    r"(?:there are )?infinitely many(?: solutions?)?|无穷多(?:个)?解?|无数(?:个)?解?"
)
_SYNONYMS = {"y": "yes", "是": "yes", "对": "true", "正确": "true", "否": "no", "错误": "false"}
_SYNONYMS |= {
    "错": "false",
    "correct": "true",
    "incorrect": "false",
    "不是": "no",
    "wrong": "false",
}
_ARTICLE = re.compile(r"^(?:the|a|an)\s+")


def meaning(node: Node) -> Node:
    """Return what words mean as mathematics, or the words themselves where they mean none."""
    if not isinstance(node, Words):
        return node
    text = _ARTICLE.sub("", node.text.strip().rstrip("."))
    if _EMPTY.fullmatch(text):
        return NamedSet("")
    if _REALS.fullmatch(text):
        return NamedSet("R")
    if _UNDEFINED.fullmatch(text):
        return Words("undefined")
    if _INFINITELY_MANY.fullmatch(text):
        return Words("infinitely many")
    if _INFINITY.fullmatch(text):
        return Constant("oo")
    if _MINUS_INFINITY.fullmatch(text):
        return negated(Constant("oo"))
    value, position = english.number(text), english.ordinal(text)
    if value is None and position is not None:
        if node.text.strip().startswith(("a ", "an ")):  # "a tenth" is no position
            return node  # with its article: what words mean may be asked again
        value = position
    if value is not None:
        return Number(value)
    return Words(_SYNONYMS.get(text, text))
