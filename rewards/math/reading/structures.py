"""Sets in braces, matrices and other environments."""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.reading.clauses import read_clause, read_items, read_listing
from rewards.math.reading.ellipsis import filled_in
from rewards.math.reading.expressions import ExpressionParser
from rewards.math.tree import (
    ZERO,
    Bracket,
    Builder,
    Constant,
    Listing,
    Matrix,
    NamedSet,
    Node,
    Relation,
    SetOf,
    Symbol,
    determinant,
    negated,
)


class StructureParser(ExpressionParser):
    """Adds to expressions what stands in braces and in environments."""

    def named_set(self) -> Node:
        r"""``\mathbb{R}`` and the like, or a half line."""
        if self.token.text == "R" and self._at_half_line():
            return self._half_line()
        return NamedSet(self.take().text)

    def _at_half_line(self) -> bool:
        r"""Whether ``\mathbb{R}^+`` stands here, the sign bare or in braces."""
        sign = self.peek(3) if self.peek(2).text == "{" else self.peek(2)
        return self.peek().text in ("^", "_") and sign.text in ("+", "-")

    def _half_line(self) -> Node:
        braced = self.peek(2).text == "{"
        positive = self.peek(3 if braced else 2).text == "+"
        self.position += 5 if braced else 3
        infinity = Constant("oo")
        ends = (ZERO, infinity) if positive else (negated(infinity), ZERO)
        return Bracket("(", ")", ends)

    def braced_set(self) -> Node:
        r"""``\{1, 2\}`` or ``\{x \mid x > 1\}``, with its braces."""
        self.position += 1
        if self.at_command("}"):
            self.position += 1
            return NamedSet("")
        builder = self._builder_head()
        if builder is None:
            items = read_items(self)
            node: Node = SetOf(filled_in(items))
        else:
            variable, domain = builder
            condition = read_listing(self)
            if domain is not None:
                condition = Listing("and", (condition, domain))
            node = Builder(variable, condition)
        if not self.at_command("}"):
            self.fail("expected a closing brace")
        self.position += 1
        return node

    def _builder_head(self) -> tuple[str, Node | None] | None:
        r"""``x \mid`` or ``x \in \mathbb{R} :``."""
        if self.token.kind != "name":
            return None
        if self.peek().text in ("|", ":"):
            variable = self.take().text
            self.position += 1
            return variable, None
        if self.peek().text == "in" and self.peek(2).kind in ("set", "name"):
            if self.peek(3).text not in ("|", ":"):
                return None
            variable, name = self.token.text, self.peek(2).text
            self.position += 4
            return variable, Relation(("in",), (Symbol(variable), NamedSet(name)))
        return None

    def environment(self) -> Node:
        """A matrix or a system of equations."""
        self.position += 1
        self.expect("{")
        name = self.take().text
        self.expect("}")
        self.environments += 1
        if name == "array" and self.at("{"):
            while not self.at("}"):
                if self.token.kind == "end":
                    self.fail("unbalanced braces")
                self.position += 1
            self.position += 1
        rows: list[list[Node]] = [[]]
        while not self.at_command("end"):
            if self.at("&"):
                self.position += 1
            elif self.at_command("\\"):
                self.position += 1
                rows.append([])
            elif self.at_command("hline"):
                self.position += 1
            else:
                rows[-1].append(read_clause(self))
                if self.at(","):
                    self.position += 1
        self.environments -= 1
        self.position += 1
        self.expect("{")
        self.position += 1
        self.expect("}")
        return _environment(name, [tuple(row) for row in rows if row])


def _environment(name: str, rows: list[tuple[Node, ...]]) -> Node:
    if not rows:
        raise AnswerError("an empty environment")
    if name in ("cases", "aligned", "align", "gathered"):
        return Listing("and", tuple(cell for row in rows for cell in row))
    if len({len(row) for row in rows}) != 1:
        raise AnswerError("a matrix with rows of different length")
    matrix = Matrix(tuple(rows))
    return determinant(matrix.rows) if name == "vmatrix" else matrix
