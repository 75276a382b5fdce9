"""A place in a list of tokens, with a movable limit."""

from __future__ import annotations

from typing import NoReturn

from rewards.errors import AnswerError
from rewards.math.reading.lexer import Token


class TokenCursor:
    """What every parser here reads from: ``tokens`` from ``position`` up to ``limit``."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.limit = len(tokens) - 1

    @property
    def token(self) -> Token:
        """The token to read next; beyond the limit, the end token."""
        return self.tokens[self.position] if self.position < self.limit else self.tokens[-1]

    def peek(self, ahead: int = 1) -> Token:
        """The token ``ahead`` of the next one."""
        index = self.position + ahead
        return self.tokens[index] if index < self.limit else self.tokens[-1]

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these operators."""
        return self.token.kind == "op" and self.token.text in texts

    def at_command(self, *names: str) -> bool:
        """Whether the next token is one of these commands."""
        return self.token.kind == "cmd" and self.token.text in names

    def take(self) -> Token:
        """The next token, passed over. Raises AnswerError at the end."""
        token = self.token
        if token.kind == "end":
            self.fail("expected more")
        self.position += 1
        return token

    def expect(self, text: str) -> None:
        """Pass over the operator ``text`` or fail."""
        if not self.at(text):
            self.fail(f"expected {text!r}")
        self.position += 1

    def fail(self, why: str) -> NoReturn:
        """Raise AnswerError with what was found."""
        raise self.failure(why)

    def failure(self, why: str) -> AnswerError:
        """The error that says what was expected and what was found."""
        found = self.token.text or "the end"
        return AnswerError(f"{why}, found {found!r}")
