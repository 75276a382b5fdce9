"""``rlcs check CASES.jsonl``: judge a file of cases, and audit verifiers over a data set.

Exit code 0: everything agrees. 1: something disagrees with what is expected, a line is broken,
or a reference is bad. 2: the command itself cannot run. With ``--out`` the run is resumable:
rows already written are counted and not judged again.
"""

from __future__ import annotations

import argparse
import json
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any

from rewards.check.report import Progress, print_report
from rewards.check.rows import BrokenLine, Case, read_cases
from rewards.check.statistics import Tally
from rewards.check.variants import VARIANTS, probe
from rewards.errors import SettingsError
from rewards.pool.pool import VerifierPool
from rewards.shown import shown
from rewards.verdict import Outcome

BATCH = 512
SCORE_TOLERANCE = 1e-6
_SHOWN = 20
_MAX_NAMED = 10_000
CHECKS = ("gold", "reformat", "perturb", "probe")
_CHECK_NUMBERS = {name: number for number, name in enumerate(("cases", *CHECKS))}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``check`` on a parser."""
    parser.add_argument("cases", type=Path, metavar="CASES.jsonl", help="rows to check")
    parser.add_argument("--out", type=Path, help="write verdicts here; resumes when it exists")
    parser.add_argument("--domain", help="for rows that name none")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--workers", type=int, default=1, help="verifier processes (1)")
    parser.add_argument("--settings", type=Path, help="JSON file: domain to its settings")
    parser.add_argument(
        "--custom",
        action="append",
        default=[],
        metavar="NAME=MODULE:FUNCTION",
        help="your verifier",
    )
    parser.add_argument(
        "--pass-mark",
        action="append",
        default=[],
        metavar="DOMAIN=NUMBER",
        help="score in [0, 1] from which a verdict passes (the verifier's own)",
    )
    parser.add_argument("--gold", action="store_true", help="references must pass themselves")
    parser.add_argument("--reformat", action="store_true", help="rewrites must pass")
    parser.add_argument("--perturb", action="store_true", help="changed answers must fail")
    parser.add_argument("--probe", action="store_true", help="known hacks must fail")


@dataclass(frozen=True, slots=True)
class _Task:
    """One request and the check it belongs to ("cases" for the rows as they are)."""

    key: str
    check: str
    case: Case


class _Done:
    """The keys of tasks that are done, eight bytes each: a file may have a million rows."""

    def __init__(self) -> None:
        self._numbers = array("Q")

    def add(self, number: int) -> None:
        """Remember the number of a key."""
        self._numbers.append(number)

    def close(self) -> None:
        """To be called once after the last ``add``."""
        self._numbers = array("Q", sorted(self._numbers))

    def __contains__(self, key: str) -> bool:
        number = self.number(key)
        index = bisect_left(self._numbers, number)
        return index < len(self._numbers) and self._numbers[index] == number

    @staticmethod
    def number(key: str) -> int:
        """A key as an integer. Raises ValueError, KeyError for one that is none of ours."""
        line, check, variant = key.split("/")
        return (int(line) << 24) | (_CHECK_NUMBERS[check] << 16) | int(variant)


def run_check(arguments: argparse.Namespace, pool: VerifierPool | None = None) -> int:
    """Run ``check`` and return its exit code.

    With a ``pool`` the verdicts and the passes are that pool's, which stays open; the options
    for workers, settings, verifiers and pass marks are not looked at then.
    """
    if not arguments.cases.is_file():
        print(f"error: no file {arguments.cases}", file=sys.stderr)
        return 2
    try:
        if pool is not None:
            return _Run(arguments, pool).go()
        with _make_pool(arguments) as own:
            return _Run(arguments, own).go()
    except SettingsError as error:
        print(f"error: {shown(str(error))}", file=sys.stderr)
        return 2


def _make_pool(arguments: argparse.Namespace) -> VerifierPool:
    """The pool that the options describe. Raises SettingsError."""
    custom = _named("--custom", "NAME=MODULE:FUNCTION", arguments.custom)
    marks = _named("--pass-mark", "DOMAIN=NUMBER", arguments.pass_mark)
    pool = VerifierPool(
        arguments.workers,
        custom=custom,
        settings=_read_settings(arguments.settings),
        pass_marks={domain: _number("--pass-mark", text) for domain, text in marks.items()},
    )
    for name in custom:
        pool.pass_mark(name)  # imports it: better here than among the rows
    return pool


def _read_settings(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"--settings {path}: {error}") from error
    if not isinstance(settings, dict):
        raise SettingsError(
            f"--settings {path}: expected an object of domains and their settings, "
            f"found {type(settings).__name__}"
        )
    return settings


def _named(option: str, form: str, pairs: Sequence[str]) -> dict[str, str]:
    """The pairs of a repeatable option. Raises SettingsError for one that is none."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise SettingsError(f"{option}: expected {form}, found {pair!r}")
        if name in found:
            raise SettingsError(f"{option}: {name} is given twice")
        found[name] = value
    return found


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{option}: expected a number, found {text!r}") from None


@contextmanager
def _naming(out: Path | None) -> Iterator[None]:
    """Raises SettingsError where the file of ``--out`` cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"--out {out}: {error.strerror}. What was judged before is kept in it: when this is "
            "mended, go on with the same command"
        ) from error


class _Run:
    """The state of one check of a file."""

    def __init__(self, arguments: argparse.Namespace, pool: VerifierPool) -> None:
        self._arguments = arguments
        self._pool = pool
        self._checks = [name for name in CHECKS if getattr(arguments, name)]
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._broken: list[BrokenLine] = []
        self._num_broken = 0
        self._num_bad_references = 0
        self._last_bad_line = 0
        self._examples: list[dict[str, Any]] = []
        self._disagreements = 0
        self._bad_references: dict[int, str] = {}
        self._known = set(pool.domains())

    def go(self) -> int:
        """Judge everything that is not judged yet, and report."""
        out = self._arguments.out
        interrupted = False
        with _naming(out):
            done = self._read_done(out) if out is not None and out.is_file() else _Done()
            file = out.open("ab", buffering=0) if out is not None else None
        try:
            with Progress(self._arguments.cases, quiet=self._arguments.json) as progress:
                tasks = (task for task in self._tasks(progress) if task.key not in done)
                while batch := list(islice(tasks, BATCH)):
                    self._judge(batch, file)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            if file is not None:
                file.close()
        summary = self._summary(interrupted)
        if self._arguments.json:
            print(shown(json.dumps(summary, indent=2, ensure_ascii=False)))
        else:
            print_report(summary)
        return (
            130
            if interrupted
            else int(bool(self._disagreements or self._num_broken or self._num_bad_references))
        )

    def _tasks(self, progress: Progress) -> Iterator[_Task]:
        """All tasks in a fixed order, with keys that stay the same from run to run."""
        needs_response = not self._checks
        for row in read_cases(
            self._arguments.cases, self._arguments.domain, needs_response=needs_response
        ):
            progress.advance(row.line)
            if isinstance(row, BrokenLine):
                self._name_broken(row)
            elif row.request.domain not in self._known:
                known = ", ".join(sorted(self._known))
                why = f"unknown domain {row.request.domain!r}; known: {known}"
                self._name_broken(BrokenLine(row.line, why))
            elif not self._checks:
                yield _Task(f"{row.line}/cases/0", "cases", row)
            else:
                yield from self._variants(row)

    def _name_broken(self, row: BrokenLine) -> None:
        self._num_broken += 1
        if len(self._broken) < _MAX_NAMED:
            self._broken.append(row)

    def _variants(self, row: Case) -> Iterator[_Task]:
        request = row.request
        for check in self._checks:
            made = (
                probe(request.domain, request.reference, request.question)
                if check == "probe"
                else VARIANTS[check](
                    request.domain, request.reference, self._pool.settings(request.domain)
                )
            )
            for number, (name, answer) in enumerate(made):
                changed = replace(request, response=answer, bare=True)
                passes = check in ("gold", "reformat")
                case = Case(row.line, row.id, changed, passes, name)
                yield _Task(f"{row.line}/{check}/{number}", check, case)

    def _judge(self, batch: list[_Task], file: FileIO | None) -> None:
        verdicts = self._pool.judge([task.case.request for task in batch])
        lines = []
        for task, verdict in zip(batch, verdicts, strict=True):
            case = task.case
            passed = self._pool.passed(case.request.domain, verdict)
            row: dict[str, Any] = {
                "id": case.id,
                "line": case.line,
                "key": task.key,
                "check": task.check,
                "domain": case.request.domain,
                "outcome": verdict.outcome.value,
                "passed": passed,
                "score": verdict.score,
                "extracted": verdict.extracted,
                "detail": verdict.detail,
                "seconds": round(verdict.seconds, 6),
                "expected": case.expected,
                "agrees": _agrees(case.expected, passed, verdict.score, verdict.outcome),
                "note": case.note,
            }
            self._count(row)
            lines.append(json.dumps(row, ensure_ascii=True) + "\n")
        if file is not None:
            with _naming(self._arguments.out):
                left = memoryview("".join(lines).encode())
                while left:  # a disk that becomes full takes a part and tells it of the next
                    left = left[file.write(left) :]

    def _count(self, row: dict[str, Any]) -> None:
        self._tallies.setdefault((row["domain"], row["check"]), Tally()).add(row)
        if row["outcome"] == Outcome.BAD_REFERENCE.value and row["expected"] is not False:
            self._name_bad_reference(row["line"], row["detail"])
        if row["agrees"] is False:
            self._disagreements += 1
            if len(self._examples) < _SHOWN:
                self._examples.append(row)

    def _name_bad_reference(self, line: int, why: str) -> None:
        if line in self._bad_references:
            return
        self._num_bad_references += line != self._last_bad_line
        self._last_bad_line = line
        if len(self._bad_references) < _MAX_NAMED:
            self._bad_references[line] = why

    def _read_done(self, out: Path) -> _Done:
        """Count the rows of an earlier run; a half-written last line is dropped."""
        done = _Done()
        kept = 0
        with out.open("rb") as file:
            for line in file:
                try:
                    row = json.loads(line)
                    number = _Done.number(row["key"])
                    self._count(row)
                    done.add(number)
                except (ValueError, KeyError, TypeError):
                    break
                kept += len(line)
        with out.open("r+b") as file:
            file.truncate(kept)
        done.close()
        return done

    def _summary(self, interrupted: bool) -> dict[str, Any]:
        return {
            "file": str(self._arguments.cases),
            "interrupted": interrupted,
            "groups": [
                {"domain": domain, "check": check, **tally.summary()}
                for (domain, check), tally in sorted(self._tallies.items())
            ],
            "disagreements": self._disagreements,
            "examples": self._examples,
            "bad_references": [
                {"line": line, "why": why} for line, why in sorted(self._bad_references.items())
            ],
            "num_bad_references": self._num_bad_references,
            "num_broken_lines": self._num_broken,
            "broken_lines": [{"line": b.line, "why": b.why} for b in self._broken],
        }


def _agrees(
    expected: bool | float | None, passed: bool, score: float, outcome: Outcome
) -> bool | None:
    """Whether a verdict is as expected; None without an expectation.

    A bad reference is simply not passed; a time-out or an error never is as expected.
    """
    if expected is None:
        return None
    if outcome in (Outcome.TIMEOUT, Outcome.ERROR):
        return False
    if isinstance(expected, bool):
        return passed == expected
    return abs(score - expected) <= SCORE_TOLERANCE
