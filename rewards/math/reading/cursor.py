"""Where the parser stands: a list of tokens, an index into it, and what is open around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from rewards.errors import AnswerError
from rewards.math.reading.lexer import Token
from rewards.math.reading.limits import MAX_DEPTH, BeyondLimits
from rewards.math.tree import Node

Reader = Callable[["Cursor"], Node]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which function reads a value, by the token it begins with.

    kinds: by the token's kind; operators and commands: by its text.
    """

    kinds: Mapping[str, Reader]
    operators: Mapping[str, Reader]
    commands: Mapping[str, Reader]


class Cursor:
    """What every reader here reads from and moves: ``tokens`` from ``position`` up to ``limit``.

    A reader begins at its first token and leaves the cursor behind its last one. It may rewrite
    tokens that are still to be read. grammar: the readers of values. depth: how many sums are
    open around the position; bars: how many absolute values; integrals and environments:
    likewise. bound_names: letters that a sum or a product around the position counts with.
    variables: letters that are never units.
    """

    def __init__(
        self, tokens: list[Token], grammar: Grammar, variables: frozenset[str] = frozenset()
    ) -> None:
        self.tokens = tokens
        self.grammar = grammar
        self.variables = variables
        self.position = 0
        self.limit = len(tokens) - 1
        self.depth = 0
        self.bars = 0
        self.integrals = 0
        self.environments = 0
        self.bound_names: frozenset[str] = frozenset()

    @property
    def token(self) -> Token:
        """Return the token to read next; at the limit, the end token."""
        return self.tokens[self.position] if self.position < self.limit else self.tokens[-1]

    def peek(self, ahead: int = 1) -> Token:
        """Return the token that stands ``ahead`` tokens after the next one."""
        index = self.position + ahead
        return self.tokens[index] if index < self.limit else self.tokens[-1]

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these operators."""
        return self.token.kind == "op" and self.token.text in texts

    def at_command(self, *names: str) -> bool:
        """Whether the next token is one of these commands."""
        return self.token.kind == "cmd" and self.token.text in names

    def take(self) -> Token:
        """Return the next token and pass over it. Raises AnswerError at the end."""
        token = self.token
        if token.kind == "end":
            self.fail("expected more")
        self.position += 1
        return token

    def expect(self, text: str) -> None:
        """Pass over the operator ``text``. Raises AnswerError when another token stands here."""
        if not self.at(text):
            self.fail(f"expected {text!r}")
        self.position += 1

    def descend(self) -> None:
        """Count one more open sum. Raises BeyondLimits when too many are open."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BeyondLimits(f"nested deeper than {MAX_DEPTH}")

    def fail(self, why: str) -> NoReturn:
        """Raise AnswerError that says what was expected and what was found."""
        found = self.token.text or "the end"
        raise AnswerError(f"{why}, found {found!r}")
