"""pass@k against all subsets and numbers by hand; what the chart makes of names from the data."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from curricula import Grades
from rlcs.grading.chart import plot_chart, printable, show_chart
from rlcs.grading.pass_at_k import Part, parts_of, pass_at_k, powers_upto
from rlcs.types import Problem


@pytest.mark.parametrize(
    ("passes", "attempts", "k", "expected", "reason"),
    [
        (2, 4, 1, 1 / 2, "pass@1 is the pass rate"),
        (2, 4, 2, 5 / 6, "1 - C(2, 2) / C(4, 2)"),
        (2, 4, 3, 1, "two failures cannot fill three attempts"),
        (0, 4, 4, 0, "never"),
        (1, 8, 4, 1 / 2, "1 - C(7, 4) / C(8, 4) = 1 - 35 / 70"),
        (3, 3, 3, 1, "always"),
    ],
)
def test_by_hand(passes: int, attempts: int, k: int, expected: float, reason: str) -> None:
    [found] = pass_at_k(np.array([float(passes)]), np.array([float(attempts)]), k)
    assert found == pytest.approx(expected), reason


def test_fewer_attempts_than_k_say_nothing() -> None:
    assert np.isnan(pass_at_k(np.array([1.0, 0]), np.array([3.0, 0]), 4)).all()


@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))
)
def test_it_is_the_share_of_subsets_with_a_pass(case: tuple[int, int, int]) -> None:
    num, num_passed, k = case
    outcomes = [index < num_passed for index in range(num)]
    subsets = list(combinations(outcomes, k))
    [found] = pass_at_k(np.array([float(num_passed)]), np.array([float(num)]), k)
    assert found == pytest.approx(sum(map(any, subsets)) / len(subsets))


@pytest.mark.parametrize(
    ("k", "powers"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_powers(k: int, powers: list[int]) -> None:
    assert powers_upto(k) == powers


def problem(number: int, domain: str, category: str) -> Problem:
    return Problem(
        problem_id=str(number),
        domain=domain,
        category=category,
        messages=({"role": "user", "content": "?"},),
        reference="1",
        question="?",
    )


PROBLEMS = [
    problem(0, "math", "sums"),
    problem(1, "math", "sums"),
    problem(2, "math", "cost in $ or $$"),
    problem(3, "char\x1b[31m[red]ts", "bars"),
    problem(4, "char\x1b[31m[red]ts", "bars"),
]


def parts() -> list[Part]:
    """Four attempts each; of problem 1 one was not judged, of problem 4 none."""
    passes, attempts = np.array([[4.0, 1, 0, 2, 0]]), np.array([[4.0, 3, 4, 4, 0]])
    grades = Grades(
        ids=[each.problem_id for each in PROBLEMS],
        models=["tiny"],
        passes=passes,
        attempts=attempts,
        errors=4 - attempts,
        labels=[""] * 5,
    )
    return parts_of(grades, 0, PROBLEMS, 4)


def test_parts_by_hand() -> None:
    found = {part.name: part for part in parts()}
    assert next(iter(found)) == "all"
    assert [part.name for part in parts() if part.is_domain] == ["char\x1b[31m[red]ts", "math"]
    everything = found["all"]
    assert everything.num_problems == 4  # problem 4 has no judged attempt
    assert everything.spread == [1, 0, 2, 0, 1]  # 1/3 lies between 1/4 and 2/4
    assert everything.pass_at[1] == pytest.approx((1 + 1 / 3 + 0 + 1 / 2) / 4)
    assert everything.pass_at[2] == pytest.approx((1 + 2 / 3 + 0 + 5 / 6) / 4)
    assert everything.pass_at[4] == pytest.approx((1 + 0 + 1) / 3)  # problem 1 has three only
    assert found["math/sums"].spread == [0, 0, 1, 0, 1]


def shown(*, terminal: bool, of: Sequence[Part]) -> str:
    console = Console(
        file=StringIO(), force_terminal=terminal, width=120, color_system=None, legacy_windows=False
    )
    show_chart(console, "tiny", of)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_plain_lines_hold_the_numbers() -> None:
    lines = shown(terminal=False, of=parts()).splitlines()
    assert len(lines) == 6  # all, two domains, three categories
    assert lines[0] == (
        "tiny  all  problems 4  pass@1 45.8%  pass@2 62.5%  pass@4 66.7%  never to always 1|0|2|0|1"
    )


def test_a_terminal_gets_a_table_with_bars() -> None:
    text = shown(terminal=True, of=parts())
    for word in ("tiny", "problems", "pass@1", "pass@4", "never → always", "▄ █ ▄", "45.8%"):
        assert word in text


@pytest.mark.parametrize("terminal", [True, False])
def test_names_from_the_data_stay_text(terminal: bool) -> None:
    text = shown(terminal=terminal, of=parts())
    assert "\x1b[31m" not in text
    assert "char\\u001b[31m[red]ts" in text
    assert printable("a\nb" + 50 * "x") == "a\\nb" + 33 * "x" + "..."


def test_the_chart_is_plotted_whatever_the_names_are(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "chart.png"
    assert plot_chart(path, [("tiny", parts()), ("large", parts())])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]
    one_domain = [part for part in parts() if "char" not in part.name]
    assert plot_chart(path, [("tiny", one_domain)])


def test_nothing_judged_at_all_is_shown_as_such(tmp_path: Path) -> None:
    none = Grades(
        ids=["0"],
        models=["tiny"],
        passes=np.zeros((1, 1)),
        attempts=np.zeros((1, 1)),
        errors=np.full((1, 1), 4.0),
        labels=[""],
    )
    empty = parts_of(none, 0, PROBLEMS[:1], 4)
    assert "problems 0  pass@1 -" in shown(terminal=False, of=empty)
    assert shown(terminal=True, of=empty)
    pytest.importorskip("matplotlib")
    assert plot_chart(tmp_path / "chart.png", [("tiny", empty)])
