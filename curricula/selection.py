"""Which of the rolled-out groups to train on."""

from collections.abc import Sequence

import numpy as np

from curricula.allocation import largest_remainder
from curricula.contract import Fate, GroupResult
from curricula.tiers import Floats, Indices


def fates(
    results: Sequence[GroupResult],
    num_groups: int,
    *,
    domains: Indices,
    domain_shares: Floats | None,
) -> tuple[dict[str, Fate], int]:
    """A fate for every group, and how many places their domain could not fill.

    The most balanced valid groups are TRAINED (pass rate closest to one half; ties: the earlier in
    `results`), `num_groups` at most. With `domain_shares` each domain first gets its share of the
    places; places its valid groups cannot fill go to the most balanced of the others.
    """
    ranking = sorted(
        (place for place, result in enumerate(results) if result.valid),
        key=lambda place: abs(2 * results[place].passes / results[place].attempts - 1),
    )
    chosen, unfilled = ranking[:num_groups], 0
    if domain_shares is not None:
        quotas = largest_remainder(domain_shares, num_groups)
        within = [place for place in ranking if _take(quotas, int(domains[place]))]
        unfilled = int(quotas.sum())
        others = [place for place in ranking if place not in set(within)]
        chosen = within + others[: num_groups - len(within)]
    trained = set(chosen)
    fate = {}
    for place, result in enumerate(results):
        if place in trained:
            fate[result.problem_id] = Fate.TRAINED
        elif result.valid:
            fate[result.problem_id] = Fate.SURPLUS
        else:
            fate[result.problem_id] = Fate.ERRORED if result.errored else Fate.INVALID
    return fate, unfilled


def _take(quotas: Indices, domain: int) -> bool:
    """Use up one place of the domain, if one is left."""
    if quotas[domain] <= 0:
        return False
    quotas[domain] -= 1
    return True


def check_results(results: Sequence[GroupResult]) -> str | None:
    """What is wrong with the first result that makes no sense, or None."""
    known: set[str] = set()
    for result in results:
        counts = (result.step, result.passes, result.attempts, result.errors)
        if not all(isinstance(count, int | np.integer) for count in counts):
            return f"expected whole numbers, found {result}"
        if min(counts) < 0 or result.passes > result.attempts:
            return f"expected 0 <= passes <= attempts, 0 <= errors and 0 <= step, found {result}"
        if result.attempts + result.errors == 0:
            return f"expected at least one completion (attempts + errors > 0), found {result}"
        if result.problem_id in known:
            return f"expected one result a problem in one call, found two of {result.problem_id!r}"
        known.add(result.problem_id)
    return None
