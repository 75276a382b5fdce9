"""The data section of a configuration as problems: everything checked before anything starts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rewards
from rewards import VerifierPool
from rlcs.config import DataSection, SourceSection
from rlcs.data.facts import PROMPTS, REFERENCES, ROWS, Examiner
from rlcs.data.faults import Fault, Faults, refusal
from rlcs.data.messages import list_problems
from rlcs.data.problem_list import Problems
from rlcs.data.references import UNCHECKED
from rlcs.data.render import Renderer, length_of
from rlcs.data.rows_of import Rows
from rlcs.data.scan import scan
from rlcs.data.sources import OpenSource, open_source
from rlcs.errors import DatasetError


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedData:
    """The problems of a run."""

    train: Problems
    heldout: Problems
    """Never trained on; empty when nothing is held out."""
    notes: list[str]
    """What was left out and why, a sentence each."""
    dropped: list[Fault] = field(default_factory=list)
    """The rows that were left out because they cannot be used."""


def load_data(
    section: DataSection,
    *,
    extra_domains: Collection[str] = (),
    pool: VerifierPool | None = None,
    renderer: Renderer | None = None,
) -> LoadedData:
    """Find, check and name all problems of ``section``.

    A row's domain must have a verifier: one of ``rewards.domains()`` or of
    ``extra_domains``, the names with a verifier of the user's own. Rows of ``train`` that
    ask what a held-out row asks (spacing and system prompt aside) are taken out. Ids are
    unique over both lists. With ``pool`` each reference has to pass its own verifier, with
    ``renderer`` each prompt has to fit.

    Raises:
        DatasetError: rows or sources cannot be used, or no problem is left to train on; the
            message names each row by file and line (the first 20 are shown).
        PackageMissingError: reasoning-gym is needed and not installed.
    """
    examiner = Examiner(
        sources=_open([*section.train, *section.heldout]),
        domains=frozenset({*rewards.domains(), *extra_domains}),
        video=section.video,
        pool=pool,
        renderer=renderer,
    )
    return _Loading(section, examiner).load()


def _open(sources: Sequence[SourceSection]) -> list[OpenSource]:
    opened, errors = [], []
    for source in sources:
        try:
            opened.append(open_source(source))
        except DatasetError as error:
            errors.append(str(error))
    if errors:
        raise DatasetError(list_problems("in the data", errors))
    return opened


@dataclass(frozen=True, slots=True)
class _Bad:
    """Rows of one list that cannot be used."""

    rows: Rows
    which: NDArray[np.int64]
    reason: Callable[[int], str]
    where: Callable[[int], str]

    def faults(self, number: int) -> list[Fault]:
        """The first so many of them."""
        return [Fault(self.where(row), self.reason(row)) for row in self.which[:number].tolist()]


class _Loading:
    """The way from rows to problems, each step of which takes some rows out."""

    def __init__(self, section: DataSection, examiner: Examiner) -> None:
        self._section = section
        self._examiner = examiner
        known = scan(examiner)
        number = len(section.train)
        self._train = Rows(examiner, known, range(number))
        self._heldout = Rows(examiner, known, range(number, len(examiner.sources)))
        self._sides = (self._train, self._heldout)
        self._faults = Faults(section.bad_rows)
        self._notes: list[str] = []

    def load(self) -> LoadedData:
        """Take out what cannot be used or is held out, and say so."""
        self._take_out_bad_rows()
        self._name()
        self._take_out_heldout()
        if self._section.drop is not None:
            self._take_out_listed(Path(self._section.drop))
        self._take_out_clashes()
        if self._examiner.pool is not None:
            self._take_out_bad_references()
        if self._examiner.renderer is not None:
            self._take_out_bad_prompts(self._examiner.renderer)
        if not len(self._train):
            first = f", the first {self._faults.dropped[0]}" if self._faults.dropped else ""
            raise DatasetError(
                "data.train: expected problems to train on, found none left: all rows were "
                f"dropped or taken out{first}."
            )
        return LoadedData(
            train=self._train.problems(),
            heldout=self._heldout.problems(),
            notes=[*self._notes, *self._faults.notes()],
            dropped=self._faults.dropped,
        )

    def _settle(self, found: Sequence[_Bad], where: str, advice: str = "") -> None:
        """Refuse or drop what was found on each side."""
        number = sum(len(each.which) for each in found)
        error = functools.partial(refusal, where, number, advice)
        self._settle_by(found, error)

    def _settle_by(self, found: Sequence[_Bad], error: Callable[[list[str]], DatasetError]) -> None:
        def first(wanted: int) -> list[Fault]:
            faults: list[Fault] = []
            for each in found:
                faults += each.faults(wanted - len(faults))
            return faults

        self._faults.settle(sum(len(each.which) for each in found), first, error)
        for each in found:
            each.rows.without(each.which)

    def _take_out_bad_rows(self) -> None:
        found = [
            _Bad(rows, rows.faulty(ROWS), _ended(rows.fault(ROWS)), rows.location)
            for rows in self._sides
        ]
        self._settle(found, "in the data")

    def _name(self) -> None:
        """Give all an id. A row whose id another has is bad; one that reasoning-gym made twice is
        left out."""
        found = []
        for rows in self._sides:
            repeats = rows.name()
            made = [each for each in repeats if self._is_made(rows.source_of(each))]
            for source, number in Counter(map(rows.source_of, made)).items():
                opened = self._examiner.sources[source]
                self._notes.append(
                    f"{opened.laid.source.name}: {number} of {len(opened.store)} generated "
                    "problems repeat an earlier one and were left out."
                )
            again = [each for each in repeats if not self._is_made(rows.source_of(each))]
            told = [
                f"expected a new id, found {rows.id(each)!r} again, first at "
                f"{rows.location(repeats[each])}. Give each row its own id, or leave columns.id "
                "out and ids are made."
                for each in again
            ]
            which = np.array(again, dtype=np.int64) - np.searchsorted(sorted(made), again)
            rows.without(np.array(made, dtype=np.int64))
            reasons = dict(zip(which.tolist(), told, strict=True))
            found.append(_Bad(rows, which, reasons.__getitem__, rows.location))
        self._settle(found, "in the data")

    def _is_made(self, source: int) -> bool:
        return self._examiner.sources[source].laid.source.reasoning_gym is not None

    def _take_out_heldout(self) -> None:
        train, heldout = (rows.numbers(ROWS, "question") for rows in self._sides)
        which = np.flatnonzero(np.isin(train, heldout))
        if not len(which):
            return
        if len(which) == len(train):
            raise DatasetError(
                f"data.train: expected problems to train on, found none left: all {len(train)} "
                "are also in data.heldout. Hold out other rows."
            )
        self._notes.append(
            f"{len(which)} of {len(train)} training problems are also held out "
            "and were taken out of training."
        )
        self._train.without(which)

    def _take_out_listed(self, path: Path) -> None:
        """Take out the training problems whose ids a file lists."""
        try:
            wanted = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
        except (OSError, ValueError) as error:
            raise DatasetError(
                f"data.drop: expected a file with an id a line, found {path}: {error}"
            ) from None
        wanted.discard("")
        which = self._train.with_ids(wanted)
        self._train.without(which)
        self._notes.append(
            f"{len(which)} of the {len(wanted)} problems that {path} lists were taken out of "
            "training (data.drop)."
        )

    def _take_out_clashes(self) -> None:
        train, heldout = self._sides
        which = train.with_ids(heldout.texts)
        if not len(which):
            return

        def reason(row: int) -> str:
            name = train.id(row)
            other = heldout.location(int(heldout.with_ids({name})[0]))
            return (
                f"expected an id of its own, found {name!r}, which {other} has with another "
                "question. Make the ids differ, or leave columns.id out and ids are made."
            )

        bad = _Bad(train, which, reason, train.location)
        self._settle([bad], "between data.train and data.heldout")

    def _take_out_bad_references(self) -> None:
        found, unchecked = [], Counter[str]()
        for rows in self._sides:
            faults = rows.column(REFERENCES, "fault")
            unchecked.update(rows.domains_where(faults, UNCHECKED))
            which = rows.faulty(REFERENCES)
            found.append(_Bad(rows, which, _ended(rows.fault(REFERENCES)), rows.where))
        advice = "Correct these references"
        self._settle(found, "in the references", advice)
        self._notes += [
            f"{number} references of the domain {domain} are neither text nor numbers and were not "
            "checked against their own verifier."
            for domain, number in sorted(unchecked.items())
        ]

    def _take_out_bad_prompts(self, renderer: Renderer) -> None:
        found = [
            _Bad(rows, rows.faulty(PROMPTS), rows.fault(PROMPTS), rows.where)
            for rows in self._sides
        ]
        self._settle(found, "in the prompts")
        found, longest, with_pictures = [], 0, False
        for rows in self._sides:
            tokens = rows.numbers(PROMPTS, "tokens")
            of_pictures = rows.numbers(PROMPTS, "picture_tokens")
            which = np.flatnonzero(tokens > renderer.most_tokens)
            longest = max(longest, int(tokens.max(initial=0)))
            with_pictures |= bool((of_pictures[which] > 0).any())

            def reason(row: int, tokens: Any = tokens, of_pictures: Any = of_pictures) -> str:
                return length_of(int(tokens[row]), int(of_pictures[row]))

            found.append(_Bad(rows, which, reason, rows.where))
        number = sum(len(each.which) for each in found)
        self._settle_by(
            found,
            lambda lines: renderer.too_long(
                lines, number=number, longest=longest, with_pictures=with_pictures
            ),
        )


def _ended(reason: Callable[[int], str]) -> Callable[[int], str]:
    return lambda row: f"{reason(row)}."
