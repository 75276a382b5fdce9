"""Problem sets that make no sense are refused."""

import pytest
from worlds import problems

from curricula import CurriculumProblem, ProblemSet, SettingsError, make_curriculum


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prior_pass_rate": 1.2}, "prior pass rates in \\[0, 1\\]"),
        ({"prior_pass_rate": float("nan")}, "None for an ungraded problem, found NaN"),
        ({"domain": ""}, "name as domain"),
        ({"problem_id": ""}, "empty"),
    ],
)
def test_bad_problems_are_refused(row: dict[str, object], why: str) -> None:
    usual = {"problem_id": "a", "domain": "d", "category": "c"}
    with pytest.raises(SettingsError, match=why):
        make_curriculum("rlcs", [CurriculumProblem(**(usual | row))], group_size=8, seed=0)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="at least one problem"):
        make_curriculum("rlcs", [], group_size=8, seed=0)
    with pytest.raises(SettingsError, match="group_size"):
        make_curriculum("rlcs", problems(3), group_size=1, seed=0)
    with pytest.raises(SettingsError, match="one entry a problem"):
        ProblemSet(["a", "b"], ["d"], ["c", "c"])
