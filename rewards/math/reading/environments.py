"""LaTeX environments: matrices, determinants and systems of equations."""

from __future__ import annotations

from rewards.errors import AnswerError
from rewards.math.reading.clauses import read_clause
from rewards.math.reading.cursor import Cursor
from rewards.math.tree import Listing, Matrix, Node, determinant


def read_environment(cursor: Cursor) -> Node:
    """Read a matrix, a determinant or a system of equations."""
    cursor.position += 1
    cursor.expect("{")
    name = cursor.take().text
    cursor.expect("}")
    cursor.environments += 1
    if name == "array" and cursor.at("{"):
        while not cursor.at("}"):
            if cursor.token.kind == "end":
                cursor.fail("unbalanced braces")
            cursor.position += 1
        cursor.position += 1
    rows: list[list[Node]] = [[]]
    while not cursor.at_command("end"):
        if cursor.at("&"):
            cursor.position += 1
        elif cursor.at_command("\\"):
            cursor.position += 1
            rows.append([])
        elif cursor.at_command("hline"):
            cursor.position += 1
        else:
            rows[-1].append(read_clause(cursor))
            if cursor.at(","):
                cursor.position += 1
    cursor.environments -= 1
    cursor.position += 1
    cursor.expect("{")
    cursor.position += 1
    cursor.expect("}")
    return _made_of(name, [tuple(row) for row in rows if row])


def _made_of(name: str, rows: list[tuple[Node, ...]]) -> Node:
    if not rows:
        raise AnswerError("an empty environment")
    if name in ("cases", "aligned", "align", "gathered"):
        return Listing("and", tuple(cell for row in rows for cell in row))
    if len({len(row) for row in rows}) != 1:
        raise AnswerError("a matrix with rows of different length")
    matrix = Matrix(tuple(rows))
    return determinant(matrix.rows) if name == "vmatrix" else matrix
