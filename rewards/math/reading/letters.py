"""Runs of letters: products of variables, or words."""

from __future__ import annotations

from rewards.math.reading.letter_runs import may_be_product
from rewards.math.reading.lexer import Token
from rewards.math.tree import Constant, Node, Symbol


def letter_token(text: str) -> Token:
    """Return one letter as a token."""
    constant = Constant(text) if text in "ei" else None
    return Token("const" if constant else "name", text, constant)


def is_product_of_letters(token: Token) -> bool:
    """Whether a run of letters is a product of variables rather than a word."""
    return not token.upright and may_be_product(token.text)


def primed(node: Node) -> Node:
    """Return the variable x' for x, and any other node as it is."""
    return Symbol(node.name + "'") if isinstance(node, Symbol) else node
