"""Functions and LaTeX commands applied to their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from rewards.errors import AnswerError
from rewards.math.reading.expressions import MAX_DEPTH, ExpressionParser
from rewards.math.reading.lexer import Token
from rewards.math.tree import (
    MINUS_ONE,
    BigOperator,
    Bracket,
    Call,
    NamedSet,
    Node,
    Number,
    Power,
    Product,
    Quantity,
    Sum,
    Symbol,
    divided,
    product_of,
    root_of,
)

_COUNTED = re.compile(r"([CAP])_(\d{1,4})")
_INVERSE = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh"}


class ApplicationParser(ExpressionParser):
    """Adds functions, roots, fractions, integrals and sums to expressions."""

    def function(self) -> Node:
        """A function with its base, power and arguments."""
        name = self.take().text
        if name == "sqrt":
            return self._root()
        if name == "binom" and not self.at("("):
            return Call("binom", (self.argument(), self.argument()))
        base: Node | None = None
        power: Node | None = None
        for _ in range(2):
            if self.at("_"):
                self.position += 1
                base = self.argument()
            elif self.at("^"):
                self.position += 1
                power = self.exponent()
        if name == "lg":
            name, base = "log", Number(Fraction(10))
        if power == MINUS_ONE and name in _INVERSE:
            name, power = "arc" + name, None
        arguments = self._arguments()
        if base is not None:
            arguments = (*arguments, base)
        node: Node = Call(name, arguments)
        return node if power is None else Power(node, power)

    def _symbol(self) -> Node:
        """A variable, or ``C_5^2`` and ``A_5^2``: combinations and arrangements."""
        node = super()._symbol()
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

    def _arguments(self) -> tuple[Node, ...]:
        if self.at("("):
            node = _in_radians(self.bracket())
            is_tuple = isinstance(node, Bracket) and node.opening == "(" and node.closing == ")"
            return node.items if isinstance(node, Bracket) and is_tuple else (node,)
        if self.at("{"):
            return (_in_radians(self.group()),)
        return (self._bare_argument(),)

    def _bare_argument(self) -> Node:
        r"""The argument of ``\sin 2x``: implicit factors, up to the next function."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise AnswerError(f"nested deeper than {MAX_DEPTH}")
        factors = [self.signed_factor()]
        while self.starts_factor() and self.token.kind != "func" and not self.at("(", "["):
            factors.append(self.factor())
        if self.at("/") and self._is_plain_fraction_tail():
            self.position += 1
            factors.append(Power(self.factor(), MINUS_ONE))
        self.depth -= 1
        return product_of(factors)

    def _is_plain_fraction_tail(self) -> bool:
        """``sin pi/3``: a number right after the slash belongs to the argument."""
        return self.peek().kind == "num" and not self.token.spaced

    def _root(self) -> Node:
        degree: Node = Number(Fraction(2))
        if self.at("["):
            self.position += 1
            degree = self.sum()
            self.expect("]")
        if self.at("{"):
            radicand = self.group()
        else:
            radicand = self.primary()
            if self.at("!"):
                radicand = self.postfix(radicand)
        return root_of(radicand, degree)

    def _unicode_root(self) -> Node:
        name = self.take().text
        return root_of(self.primary(), Number(Fraction(3 if name == "cbrt" else 2)))

    def _barred(self) -> Node:
        """A conjugate, or the name of a segment."""
        self.position += 1
        node = self.argument()
        return Call("conj", (node,)) if isinstance(node, Symbol | Sum) else node

    def _rounded(self) -> Node:
        name = self.take().text
        node = self.sum()
        if not self.at_command("rfloor", "rceil"):
            self.fail("expected a closing bracket")
        self.position += 1
        return Call("floor" if name == "lfloor" else "ceil", (node,))

    def _empty_set(self) -> Node:
        self.position += 1
        return NamedSet("")

    def _labelled(self) -> Node:
        name = self.take().text
        return Product((Symbol(name), self.primary()))

    def _vector(self) -> Node:
        self.position += 1
        return self.argument()

    def _set_in_braces(self) -> Node:
        self.position += 1
        return self.braced_set()

    def _environment(self) -> Node:
        self.position += 1
        return self.environment()

    def braced_set(self) -> Node:
        """A set in braces: read by the subclass."""
        raise self.failure("expected a value")

    def environment(self) -> Node:
        """A LaTeX environment: read by the subclass."""
        raise self.failure("expected a value")

    def _fraction(self) -> Node:
        self.position += 1
        if self.at("{") and self.peek().text == "d" and self.peek(2).text == "}":
            return self._derivative()
        numerator = self.argument()
        return divided(numerator, self.argument())

    def _derivative(self) -> Node:
        r"""``\frac{d}{dx} body``."""
        self.position += 3
        self.expect("{")
        if self.token.text == "d":
            self.position += 1
            variable = self.take().text
        else:
            variable = self.take().text.removeprefix("d")
        self.expect("}")
        return BigOperator("derivative", variable, self.factor())

    def _angled(self) -> Node:
        self.position += 1
        items = self.items()
        if not self.at_command("rangle"):
            self.fail("expected a closing bracket")
        self.position += 1
        return items[0] if len(items) == 1 else Bracket("(", ")", items)

    def _big_operator(self) -> Node:
        name = self.take().text
        lower: Node | None = None
        upper: Node | None = None
        variable = ""
        for _ in range(2):
            if self.at("_"):
                self.position += 1
                if name == "int":
                    lower = self.argument()
                else:
                    variable, lower = self._bound()
            elif self.at("^"):
                self.position += 1
                upper = self.exponent()
        if name == "int":
            return self._integral(lower, upper)
        if not variable:
            self.fail("expected a bound variable")
        outer_names = self.bound_names
        self.bound_names = outer_names | {variable}  # i is an index here, not a constant
        body = self.term()
        self.bound_names = outer_names
        kind = {"sum": "sum", "prod": "product", "lim": "limit"}[name]
        return BigOperator(kind, variable, body, lower, upper)  # type: ignore[arg-type]

    def _bound(self) -> tuple[str, Node]:
        """``{k=1}`` or ``{x \to 0}``."""
        self.expect("{")
        variable = self.take().text
        if not self.at("=", "->"):
            self.fail("expected a bound")
        self.position += 1
        value = self.sum()
        if self.at("^"):  # x -> 0^+
            self.position += 2
        self.expect("}")
        return variable, value

    def _differential_to_the_end(self) -> None:
        r"""Move the differential of ``\int \frac{dx}{x}`` behind the fraction."""
        if not self.at_command("frac") or self.peek().text != "{":
            return
        start = self.position + 1
        end = self._closing_brace(start)
        inside = self.tokens[start + 1 : end]
        size = 1 if inside and re.fullmatch("d[a-z]", inside[-1].text) else 2
        differential = inside[-size:]
        if not re.fullmatch("d[a-z]", "".join(token.text for token in differential)):
            return
        last = self._closing_brace(end + 1)
        one = [] if len(inside) > size else [Token("num", "1", Number(Fraction(1)))]
        self.tokens[last + 1 : last + 1] = differential
        self.tokens[end - size : end] = one
        self.limit += len(one)

    def _closing_brace(self, start: int) -> int:
        """Index of the brace that closes the one at ``start``."""
        depth = 0
        for index in range(start, self.limit):
            text = self.tokens[index].text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return index
        raise self.failure("unbalanced braces")

    def _integral(self, lower: Node | None, upper: Node | None) -> Node:
        self._differential_to_the_end()
        self.integrals += 1
        body: Node = Number(Fraction(1)) if self.at_differential() else self.sum()
        self.integrals -= 1
        if self.token.text == "d" and self.peek().kind == "name":
            self.position += 1
            variable = self.take().text
        elif self.token.kind == "word" and len(self.token.text) == 2 and self.token.text[0] == "d":
            variable = self.take().text[1]
        else:
            raise self.failure("expected a differential")
        return BigOperator("integral", variable, body, lower, upper)


def _in_radians(node: Node) -> Node:
    """``60°`` as a value, for the functions of angles."""
    if isinstance(node, Quantity) and node.unit == (("degree", Fraction(1)),):
        return Call("degree", (node.value,))
    return node


COMMANDS: dict[str, Callable[[ApplicationParser], Node]] = {
    "frac": ApplicationParser._fraction,
    "root": ApplicationParser._unicode_root,
    "cbrt": ApplicationParser._unicode_root,
    "overline": ApplicationParser._barred,
    "bar": ApplicationParser._barred,
    "vec": ApplicationParser._vector,
    "lfloor": ApplicationParser._rounded,
    "lceil": ApplicationParser._rounded,
    "emptyset": ApplicationParser._empty_set,
    "varnothing": ApplicationParser._empty_set,
    "angle": ApplicationParser._labelled,
    "triangle": ApplicationParser._labelled,
    "langle": ApplicationParser._angled,
    "int": ApplicationParser._big_operator,
    "sum": ApplicationParser._big_operator,
    "prod": ApplicationParser._big_operator,
    "lim": ApplicationParser._big_operator,
    "begin": ApplicationParser._environment,
    "{": ApplicationParser._set_in_braces,
}
