"""The problem set a curriculum chooses from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curricula.contract import CurriculumProblem
from curricula.errors import SettingsError
from curricula.ids import IdTable


class ProblemSet:
    """Ids, categories and offline pass rates of all problems, by index.

    `ids`: the ids; a problem's index is its place there.
    `categories`: (domain, category) pairs, sorted; `category_codes` [n] points into them.
    `domains`: domain names, sorted; `domain_of_category` [categories] points into them.
    `prior_pass_rates` [n]: in [0, 1], NaN where nobody graded the problem.
    """

    def __init__(
        self,
        ids: Sequence[str],
        domains: Sequence[str],
        categories: Sequence[str],
        prior_pass_rates: Sequence[float] | NDArray[np.floating] | None = None,
    ) -> None:
        """From parallel sequences, all in the same order; the order itself does not matter."""
        num = len(ids)
        priors = np.full(num, np.nan) if prior_pass_rates is None else prior_pass_rates
        for name, given in (("domains", domains), ("categories", categories), ("priors", priors)):
            if len(given) != num:
                raise SettingsError(
                    f"expected one entry a problem ({num}) in {name}, found {len(given)}"
                )
        if not num:
            raise SettingsError("expected at least one problem, found none; check the data set")
        rates = np.asarray(priors, dtype=np.float32)
        if (wrong := np.flatnonzero((rates < 0) | (rates > 1) | np.isinf(rates))).size:
            raise SettingsError(
                f"expected prior pass rates in [0, 1] or NaN, found {rates[wrong[0]]:g} for "
                f"problem {ids[wrong[0]]!r} ({wrong.size} such problems); divide passes by attempts"
            )
        self.ids = IdTable(ids)
        self.categories, codes = _coded(domains, categories)
        self.category_codes = codes[self.ids.order]
        self.prior_pass_rates = rates[self.ids.order]
        self.domains = sorted({domain for domain, _ in self.categories})
        place = {domain: i for i, domain in enumerate(self.domains)}
        self.domain_of_category = np.array([place[d] for d, _ in self.categories], dtype=np.int64)

    @classmethod
    def of(cls, problems: Sequence[CurriculumProblem]) -> "ProblemSet":
        """From problem records."""
        return cls(
            [problem.problem_id for problem in problems],
            [problem.domain for problem in problems],
            [problem.category for problem in problems],
            [
                np.nan if problem.prior_pass_rate is None else problem.prior_pass_rate
                for problem in problems
            ],
        )

    def __len__(self) -> int:
        return len(self.ids)


def _coded(
    domains: Sequence[str], categories: Sequence[str]
) -> tuple[list[tuple[str, str]], NDArray[np.uint16]]:
    """The distinct pairs, sorted, and the place of each problem's pair among them."""
    pairs = sorted(set(zip(domains, categories, strict=True)))
    if len(pairs) > 2**16:
        raise SettingsError(
            f"expected at most 65536 categories, found {len(pairs)}; "
            "a category should group problems of related difficulty, not name single ones"
        )
    for domain, category in pairs:
        if not domain:
            raise SettingsError(f"expected a name as domain, found '' (category {category!r})")
    place = {pair: i for i, pair in enumerate(pairs)}
    codes = (place[pair] for pair in zip(domains, categories, strict=True))
    return pairs, np.fromiter(codes, dtype=np.uint16, count=len(domains))
