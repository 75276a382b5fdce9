"""Which of the rolled-out groups to train on."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curricula.choosing.allocation import largest_remainder
from curricula.contract import Fate, GroupResult
from curricula.errors import ObservationError
from curricula.knowledge.tiers import Floats, Indices


def fates(
    results: Sequence[GroupResult],
    num_groups: int,
    *,
    domains: Indices,
    domain_shares: Floats | None,
) -> tuple[dict[str, Fate], int]:
    """Return a fate for every group, and how many groups are missing in the domains' shares.

    The most balanced valid groups are TRAINED (pass rate closest to one half; ties: the earlier in
    `results`), `num_groups` at most. With `domain_shares` each domain first gets its share of them;
    what its valid groups cannot fill goes to the most balanced of the others.
    """
    ranking = sorted(
        (index for index, result in enumerate(results) if result.valid),
        key=lambda index: abs(2 * results[index].passes / results[index].attempts - 1),
    )
    chosen, unfilled = ranking[:num_groups], 0
    if domain_shares is not None:
        quotas = largest_remainder(domain_shares, num_groups)
        within = [index for index in ranking if _take(quotas, int(domains[index]))]
        unfilled = int(quotas.sum())
        others = [index for index in ranking if index not in set(within)]
        chosen = within + others[: num_groups - len(within)]
    trained = set(chosen)
    fate = {}
    for index, result in enumerate(results):
        if index in trained:
            fate[result.problem_id] = Fate.TRAINED
        elif result.valid:
            fate[result.problem_id] = Fate.SURPLUS
        else:
            fate[result.problem_id] = Fate.ERRORED if result.errored else Fate.INVALID
    return fate, unfilled


def _take(quotas: Indices, domain: int) -> bool:
    """Use up one group of the domain's quota, if one is left."""
    if quotas[domain] <= 0:
        return False
    quotas[domain] -= 1
    return True


_MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """The counts of a batch of results, each [groups]."""

    steps: Indices
    passes: Indices
    attempts: Indices
    errors: Indices
    tokens: Indices

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which groups neither all passed nor all failed."""
        return (self.passes > 0) & (self.passes < self.attempts)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of which groups it is known whether they are valid: those that are not errored."""
        return np.asarray(self.valid | (self.errors < self.attempts))


def counts_of(results: Sequence[GroupResult]) -> Counts:
    """Return the counts of results; ObservationError names the first that makes no sense."""
    try:
        # Through `array`, which is quick and takes nothing but whole numbers of 64 bits.
        columns = (
            array("q", [result.step for result in results]),
            array("q", [result.passes for result in results]),
            array("q", [result.attempts for result in results]),
            array("q", [result.errors for result in results]),
            array("q", [result.tokens for result in results]),
        )
    except (TypeError, OverflowError):
        wrong = next(result for result in results if not _whole(result))
        raise ObservationError(f"expected whole numbers below 2**63, found {wrong}") from None
    found = (np.frombuffer(each, dtype=np.int64) for each in columns)
    steps, passes, attempts, errors, tokens = found
    least = np.minimum(np.minimum(steps, tokens), np.minimum(passes, errors))
    senseless = (least < 0) | (passes > attempts)
    senseless |= (attempts + errors == 0) | (
        np.maximum(np.maximum(steps, tokens), attempts + errors) > _MOST
    )
    if senseless.any():
        raise ObservationError(
            "expected 0 <= passes <= attempts, 0 <= errors, 0 <= step, 0 <= tokens and at least "
            f"one completion (attempts + errors > 0), none of them above {_MOST}, "
            f"found {results[int(senseless.argmax())]}"
        )
    return Counts(steps=steps, passes=passes, attempts=attempts, errors=errors, tokens=tokens)


def names_of(results: Sequence[GroupResult]) -> list[str]:
    """Return the problem ids of results; ObservationError when one comes twice."""
    names = [result.problem_id for result in results]
    if len(set(names)) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise ObservationError(
            f"expected one result a problem in one call, found two of {twice!r}; "
            "add their counts up first"
        )
    return names


def _whole(result: GroupResult) -> bool:
    counts = (result.step, result.passes, result.attempts, result.errors, result.tokens)
    return all(isinstance(count, int | np.integer) and abs(int(count)) < 2**63 for count in counts)
