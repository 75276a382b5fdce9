"""Expressions: from tokens to a tree, by precedence, with a bound on depth.

Left out: anything that would need evaluation to be understood. Ambiguities are read the usual
way: ``a/bc`` from left to right, a function's argument up to the next plus or function.
"""

from __future__ import annotations

import re
from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.reading.cursor import Cursor
from rewards.math.reading.letters import is_product_of_letters, letter_token, primed
from rewards.math.reading.lexer import Token
from rewards.math.reading.unit_names import SCALE_WORDS
from rewards.math.tree import (
    MINUS_ONE,
    Call,
    Congruence,
    Constant,
    Node,
    Number,
    PlusMinus,
    Power,
    Product,
    Sum,
    Symbol,
    divided,
    negated,
    product_of,
)

MAX_DEPTH = 64
_STARTING = """
frac sqrt root cbrt binom begin int sum prod lim lfloor lceil langle { overline bar vec emptyset
varnothing triangle angle
"""
START_COMMANDS = frozenset(_STARTING.split())
_PERCENT_WORDS = frozenset(["percent", "pct", "percentage", "pct."])
_COUNTED = re.compile(r"([CAP])_(\d{1,4})")


class ExpressionParser(Cursor):
    """Reads expressions from ``tokens``; sets are added by its subclass."""

    def sum(self) -> Node:
        """Terms with plus, minus and plus-minus between them."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise AnswerError(f"nested deeper than {MAX_DEPTH}")
        terms = [self._signed_term()]
        while self.at("+", "-") or self.at_command("pm", "mp"):
            terms.append(self._signed_term())
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def _signed_term(self) -> Node:
        negative = False
        while self.at("+", "-") or self.at_command("pm", "mp"):
            if self.token.kind == "cmd":
                inverted = self.take().text == "mp"
                operand = PlusMinus(self.term(), inverted)
                return negated(operand) if negative else operand
            negative ^= self.take().text == "-"
        term = self.term()
        return negated(term) if negative else term

    def term(self) -> Node:
        """Factors with explicit or implicit multiplication and division."""
        factors = [self.factor()]
        while True:
            if self.at("*"):
                self.position += 1
                factors.append(self.signed_factor())
            elif self.at("/"):
                self.position += 1
                factors.append(Power(self.signed_factor(), MINUS_ONE))
            elif self.token.kind == "word" and self.token.text == "mod":
                if self.peek().kind != "num" or self.peek(2).kind != "end":
                    return product_of(factors)
                self.position += 1
                factors = [Congruence(None, product_of(factors), self.factor())]
            elif self.starts_factor():
                factors.append(self.factor())
            else:
                return product_of(factors)

    def signed_factor(self) -> Node:
        """A factor that may carry its own sign (``2 * -3``)."""
        if self.at("-"):
            self.position += 1
            return negated(self.signed_factor())
        if self.at("+"):
            self.position += 1
        return self.factor()

    def starts_factor(self) -> bool:
        """Whether implicit multiplication goes on here."""
        token = self.token
        if token.kind == "num":
            return self.tokens[self.position - 1].kind != "num"
        if token.kind == "name":
            return not self.at_differential()
        if token.kind in ("const", "func"):
            return True
        if token.kind == "word":
            return not self.at_differential() and (
                is_product_of_letters(token) or token.text in SCALE_WORDS
            )
        if token.kind == "op":
            if token.text == "(" and self.peek().text in ("mod", "bmod"):
                return False
            return token.text in ("(", "[", "{") or (token.text == "|" and self.bars == 0)
        return token.kind == "cmd" and token.text in START_COMMANDS

    def at_differential(self) -> bool:
        """Whether the ``dx`` of an open integral stands here."""
        if self.integrals == 0:
            return False
        token = self.token
        if token.kind == "word":
            return len(token.text) == 2 and token.text[0] == "d"
        return token.text == "d" and self.peek().kind == "name"

    def factor(self) -> Node:
        """A primary with its postfixes and exponent."""
        mixed = self._mixed_number()
        if mixed is not None:
            return mixed
        node = self.postfix(self.primary())
        if self.at("^"):
            self.position += 1
            if self.at_command("circ", "degree"):
                self.position += 1
                return self.postfix(Call("degree", (node,)))
            if self._at_braced_degree():
                self.position += 3
                return self.postfix(Call("degree", (node,)))
            if self.at_command("prime") or self.at("'"):
                self.position += 1
                return self.postfix(primed(node))
            node = self.postfix(Power(node, self.exponent()))
            if self.at("^"):
                self.position += 1
                node = Power(node, self.exponent())
        return node

    def _at_braced_degree(self) -> bool:
        return self.at("{") and self.peek().text in ("circ", "degree") and self.peek(2).text == "}"

    def exponent(self) -> Node:
        """What stands after a caret."""
        if self.at("-", "+"):
            negative = self.take().text == "-"
            exponent = self.exponent()
            return negated(exponent) if negative else exponent
        node = self.postfix(self.primary())
        if self.at("^") and self.tokens[self.position - 1].text != "}":
            self.position += 1
            node = Power(node, self.exponent())  # a^b^c is a^(b^c)
        return node

    def _mixed_number(self) -> Node | None:
        r"""``1\frac{1}{2}`` and ``1 1/2``: a whole number and a proper fraction."""
        whole = self.token.node
        if self.token.kind != "num" or not isinstance(whole, Number) or whole.places:
            return None
        offset = 1
        if self.peek().kind == "cmd" and self.peek().text == "frac":
            upper, lower, end = self._plain_fraction(2)
        elif self.peek().kind == "num" and self.peek().spaced and self.peek(2).text == "/":
            upper, lower, end = self.peek(1).node, self.peek(3).node, offset + 3
        else:
            return None
        if not isinstance(upper, Number) or not isinstance(lower, Number):
            return None
        if upper.places or lower.places or not 0 < upper.value < lower.value:
            return None
        self.position += end
        return self.postfix(Number(whole.value + upper.value / lower.value))

    def _plain_fraction(self, offset: int) -> tuple[Node | None, Node | None, int]:
        r"""Numerator and denominator of ``\frac{a}{b}`` or ``\frac12``, from ``offset``."""
        shape = [self.peek(offset + i) for i in range(6)]
        texts = [token.text for token in shape]
        if (texts[0], texts[2], texts[3], texts[5]) == ("{", "}", "{", "}"):
            return shape[1].node, shape[4].node, offset + 6
        if len(texts[0]) == 2 and texts[0].isdigit():
            digits = [Number(Fraction(digit)) for digit in texts[0]]
            return digits[0], digits[1], offset + 1
        return None, None, 0

    def postfix(self, node: Node) -> Node:
        """Factorials, percent and degree signs, primes after ``node``."""
        while True:
            if self.at("!"):
                node = self._factorial(node)
            elif self.at("%"):
                self.position += 1
                node = Call("percent", (node,))
            elif self.at("'") and isinstance(node, Symbol):
                self.position += 1
                node = primed(node)
            elif self.at_command("degree"):
                self.position += 1
                node = Call("degree", (node,))
            elif self.at_command("permille"):
                self.position += 1
                node = divided(node, Number(Fraction(1000)))
            elif self.token.kind == "word" and self.token.text.lower() in _PERCENT_WORDS:
                self.position += 1
                node = Call("percent", (node,))
            else:
                return node

    def _factorial(self, node: Node) -> Node:
        """``n!`` or the double factorial ``n!!``; longer runs mean nothing that is meant."""
        double = self.peek().text == "!"
        self.position += 1 + double
        if double and self.at("!"):
            self.fail("expected at most two signs of a factorial")
        return Call("factorial2" if double else "factorial", (node,))

    def primary(self) -> Node:
        """A value without what may follow it, read by the function that the grammar names."""
        token = self.token
        if token.kind == "op":
            reader = self.grammar.operators.get(token.text)
        elif token.kind == "cmd":
            reader = self.grammar.commands.get(token.text)
        else:
            reader = self.grammar.kinds.get(token.kind)
        if reader is None:
            self.fail("unknown command" if token.kind == "cmd" else "expected a value")
        return reader(self)

    def constant(self) -> Node:
        """pi, e, i and infinity; a letter of them that a sum counts with is a variable."""
        token = self.take()
        assert token.node is not None
        bound = token.text in self.bound_names
        return self._subscripted(token.text, Symbol(token.text) if bound else token.node)

    def argument(self) -> Node:
        r"""An argument of a command: a braced group or one token (``\frac12``)."""
        token = self.token
        if token.kind == "num" and len(token.text) > 1 and token.text.isdigit():
            # LaTeX takes one digit; the rest stays for the next argument.
            rest = Token("num", token.text[1:], Number(Fraction(token.text[1:])))
            self.tokens[self.position] = rest
            return Number(Fraction(token.text[0]))
        if token.kind == "cmd" and token.text not in START_COMMANDS:
            self.fail("expected an argument")
        return self.primary()

    def _number(self) -> Node:
        token = self.take()
        node = token.node
        assert isinstance(node, Number)
        return self.in_base(node, token.text) if self.at("_") else node

    def in_base(self, node: Number, digits: str) -> Node:
        """``101_2``: the digits again, in the base of the subscript."""
        self.expect("_")
        base = self.argument()
        if not isinstance(base, Number) or not 2 <= base.value <= 36 or node.places:
            raise AnswerError("not a base")
        try:
            return Number(Fraction(int(digits, int(base.value))), base=int(base.value))
        except ValueError as error:
            raise AnswerError("digits beyond the base") from error

    def _symbol(self) -> Node:
        """A variable, or ``C_5^2`` and ``A_5^2``: combinations and arrangements."""
        token = self.take()
        node = self._subscripted(token.text, Symbol(token.text))
        if not isinstance(node, Symbol) or not self.at("^"):
            return node
        match = _COUNTED.fullmatch(node.name)
        if match is None or not self._at_whole_number():
            return node
        self.position += 1
        chosen = self.argument()
        among = Number(Fraction(match[2]))
        choices = Call("binom", (among, chosen))
        return choices if match[1] == "C" else Product((choices, Call("factorial", (chosen,))))

    def _at_whole_number(self) -> bool:
        """Whether the exponent here is a whole number, bare or in braces."""
        number = self.peek(2) if self.peek().text == "{" else self.peek()
        closed = self.peek().text != "{" or self.peek(3).text == "}"
        return closed and number.kind == "num" and number.text.isdigit()

    def _subscripted(self, name: str, plain: Node) -> Node:
        if not self.at("_"):
            return plain
        self.position += 1
        parts: list[str] = []
        if self.at("{"):
            depth = 0
            while True:
                depth += self.at("{") - self.at("}")
                if self.token.kind == "end":
                    self.fail("unbalanced braces")
                parts.append(self.take().text)
                if depth == 0:
                    break
            parts = parts[1:-1]
        else:
            parts.append(self.take().text)
        return Symbol(f"{name}_{''.join(parts)}")

    def _letters(self) -> Node:
        token = self.token
        if token.text in SCALE_WORDS:
            self.position += 1
            return Number(Fraction(SCALE_WORDS[token.text]))
        if not is_product_of_letters(token) and token.text != "at":  # a word, but not in v + at
            self.fail("expected a value")
        self.position += 1
        if self.at("^") and self.tokens[self.position - 2].text == "^":  # e^xe^y, as TeX reads it
            rest = (
                Token("word", token.text[1:])
                if len(token.text) > 2
                else letter_token(token.text[1])
            )
            self.position -= 1
            self.tokens[self.position] = rest
            return letter_token(token.text[0]).node or Symbol(token.text[0])
        factors: list[Node] = [
            Constant(letter) if letter in "ei" else Symbol(letter) for letter in token.text
        ]
        if self.at("_"):
            factors[-1] = self._subscripted(token.text[-1], factors[-1])
        if self.at("^"):  # the exponent belongs to the last letter
            self.position += 1
            factors[-1] = Power(factors[-1], self.exponent())
        return product_of(factors)
