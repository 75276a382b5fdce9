"""The problem set a curriculum chooses from; the curriculum does not keep it."""

import copy
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curricula.contract import CurriculumProblem
from curricula.errors import SettingsError
from curricula.knowledge.ids import IdTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """Who the problems are: what a curriculum keeps of a `ProblemSet`, whose words these are."""

    ids: IdTable
    categories: Sequence[tuple[str, str]]
    contents: NDArray[np.uint32] | None

    @property
    def num_bytes(self) -> int:
        """Bytes held by what grows with the number of problems."""
        return self.ids.num_bytes + (0 if self.contents is None else self.contents.nbytes)

    def edited(
        self, saved: NDArray[np.uint32] | None, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which problems of these saved fingerprints are here (index >= 0) with another."""
        if saved is None or self.contents is None:
            return np.zeros(len(indices), dtype=bool)
        return np.asarray((indices >= 0) & (saved != self.contents[indices]))


class ProblemSet:
    """Ids, categories and offline pass rates of all problems, by index.

    `ids`: the ids; a problem's index is its rank there.
    `categories`: (domain, category) pairs, sorted; `category_codes` [n] points into them.
    `domains`: domain names, sorted; `domain_of_category` [categories] points into them.
    `prior_pass_rates` [n]: in [0, 1], NaN where nobody graded the problem.
    `contents` [n]: fingerprints of the problems' texts, CRC-32; None when no texts were given.
    """

    def __init__(
        self,
        ids: Sequence[str],
        domains: Sequence[str],
        categories: Sequence[str],
        prior_pass_rates: Sequence[float] | NDArray[np.floating] | None = None,
        contents: Sequence[str] | None = None,
    ) -> None:
        """Take parallel sequences, all in the same order; the order itself does not matter."""
        num = len(ids)
        for name, given in (("domains", domains), ("categories", categories)):
            _check_length(name, given, num)
        if not num:
            raise SettingsError("expected at least one problem, found none; check the data set")
        pairs, codes = _coded(domains, categories)
        if contents is not None:
            _check_length("contents", contents, num)
        self._fill(
            *IdTable.build(ids),
            pairs,
            codes,
            prior_pass_rates,
            None if contents is None else _fingerprints(contents),
        )

    @classmethod
    def of_arrays(
        cls,
        ids: IdTable,
        order: NDArray[np.integer],
        categories: Sequence[tuple[str, str]],
        category_codes: NDArray[np.uint16],
        prior_pass_rates: NDArray[np.floating],
        contents: NDArray[np.uint32] | None,
    ) -> "ProblemSet":
        """Make a problem set of tens of millions of problems, none of which is an object.

        `ids` and `order` are what `IdTable.build` returned; the others are parallel arrays in the
        order that the ids were given in, `categories` the distinct (domain, category) pairs,
        sorted, and `contents` what `fingerprint` makes of each problem's text, None without texts.
        """
        if not len(ids):
            raise SettingsError("expected at least one problem, found none; check the data set")
        _check_categories(categories)
        made = cls.__new__(cls)
        made._fill(ids, order, categories, category_codes, prior_pass_rates, contents)
        return made

    def _fill(
        self,
        ids: IdTable,
        order: NDArray[np.integer],
        categories: Sequence[tuple[str, str]],
        codes: NDArray[np.uint16],
        prior_pass_rates: Sequence[float] | NDArray[np.floating] | None,
        contents: NDArray[np.uint32] | None,
    ) -> None:
        self.ids, self._order = ids, order
        self.categories = categories
        self.category_codes = codes[order]
        self.prior_pass_rates = self._checked_rates(prior_pass_rates)
        self.contents = None if contents is None else contents[order]
        self.domains = sorted({domain for domain, _ in categories})
        number = {domain: i for i, domain in enumerate(self.domains)}
        self.domain_of_category = np.array([number[d] for d, _ in categories], dtype=np.int64)

    @classmethod
    def of(cls, problems: Sequence[CurriculumProblem]) -> "ProblemSet":
        """Make a problem set from problem records."""
        return cls(
            [problem.problem_id for problem in problems],
            [problem.domain for problem in problems],
            [problem.category for problem in problems],
            [_rate_or_nan(problem) for problem in problems],
            contents if any(contents := [problem.content for problem in problems]) else None,
        )

    @property
    def roster(self) -> Roster:
        """What a curriculum keeps of these problems."""
        return Roster(ids=self.ids, categories=self.categories, contents=self.contents)

    def graded(self, prior_pass_rates: Sequence[float] | NDArray[np.floating]) -> "ProblemSet":
        """Return the same problems with other offline pass rates, in the order first given."""
        other = copy.copy(self)
        other.prior_pass_rates = self._checked_rates(prior_pass_rates)
        return other

    def _checked_rates(
        self, given: Sequence[float] | NDArray[np.floating] | None
    ) -> NDArray[np.float32]:
        if given is None:
            return np.full(len(self), np.nan, dtype=np.float32)
        _check_length("prior_pass_rates", given, len(self))
        rates = np.asarray(given, dtype=np.float32)[self._order]
        if (wrong := np.flatnonzero((rates < 0) | (rates > 1) | np.isinf(rates))).size:
            raise SettingsError(
                f"expected prior pass rates in [0, 1] or NaN, found {rates[wrong[0]]:g} for "
                f"problem {self.ids.texts(wrong[:1])[0]!r} ({wrong.size} such problems); "
                "divide passes by attempts"
            )
        return np.asarray(rates)

    def __len__(self) -> int:
        return len(self.ids)


def _check_length(name: str, given: Sequence[object] | NDArray[np.floating], num: int) -> None:
    if len(given) != num:
        raise SettingsError(f"expected one entry a problem ({num}) in {name}, found {len(given)}")


def _rate_or_nan(problem: CurriculumProblem) -> float:
    """NaN for None; a NaN that somebody computed is no statement that nobody graded the problem."""
    if problem.prior_pass_rate is None:
        return np.nan
    if problem.prior_pass_rate != problem.prior_pass_rate:
        raise SettingsError(
            "expected prior pass rates in [0, 1], or None for an ungraded problem, found NaN for "
            f"problem {problem.problem_id!r}"
        )
    return problem.prior_pass_rate


def fingerprint(content: str) -> int:
    """Return by what a problem's text is told from its edited text: its CRC-32."""
    return zlib.crc32(content.encode("utf-8", "surrogatepass"))


def _fingerprints(contents: Sequence[str]) -> NDArray[np.uint32]:
    return np.fromiter(map(fingerprint, contents), dtype=np.uint32, count=len(contents))


def _coded(
    domains: Sequence[str], categories: Sequence[str]
) -> tuple[list[tuple[str, str]], NDArray[np.uint16]]:
    """The distinct pairs, sorted, and the index of each problem's pair among them."""
    pairs = sorted(set(zip(domains, categories, strict=True)))
    _check_categories(pairs)
    number = {pair: i for i, pair in enumerate(pairs)}
    codes = (number[pair] for pair in zip(domains, categories, strict=True))
    return pairs, np.fromiter(codes, dtype=np.uint16, count=len(domains))


def _check_categories(pairs: Sequence[tuple[str, str]]) -> None:
    if len(pairs) > 2**16:
        raise SettingsError(
            f"expected at most 65536 categories, found {len(pairs)}; "
            "a category should group problems of related difficulty, not name single ones"
        )
    for domain, category in pairs:
        if not domain:
            raise SettingsError(f"expected a name as domain, found '' (category {category!r})")
