"""Contenders written as one line of text."""

import pytest
from worlds import problems

from curricula import SettingsError, make_curriculum
from curricula.study.contender import Contender


def test_values_are_typed_before_they_are_checked() -> None:
    contender = Contender.parse(
        "rlcs carry_over=true sharpness=2 min_gap=0 expansion=predicted tier_weights=[0,1,2,1,0.5]"
    )
    assert contender.kind == "rlcs"
    assert contender.settings == {
        "carry_over": True,
        "sharpness": 2,
        "min_gap": 0,
        "expansion": "predicted",
        "tier_weights": [0, 1, 2, 1, 0.5],
    }
    assert contender.name.startswith("rlcs carry_over=true sharpness=2")


def test_what_is_parsed_makes_a_curriculum() -> None:
    contender = Contender.parse(
        """rlcs domains=fixed 'domain_ratios={"math": 1, "chart": 2}' tiers='["a", "b"]'"""
        " boundaries=[0.5] tier_weights=[1,2]"
    )
    made = make_curriculum(contender.kind, problems(20), group_size=8, seed=0, **contender.settings)
    assert made.draw(4, step=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rlcs carry_over=yes", "carry_over: expected true or false, found the text 'yes'."),
        ("rlcs carry_over=1", "carry_over: expected true or false, found 1."),
        ("rlcs min_gap=1.0", "min_gap: expected a whole number"),
        ("rlcs sharpness=two", "sharpness: expected a number not below 0 and not above 20"),
        ("rlcs sharpness=NaN", "found nan."),
        ("rlcs sharpness=", "found the text ''."),
        ("rlcs tier_weights=1", "tier_weights: expected a list, found 1."),
        ("rlcs sharp=2", "expected settings of 'rlcs' out of "),
        ("rlcs sharpness", "expected name=value after 'rlcs', found 'sharpness'"),
        ("", "expected a kind of curriculum out of rlcs, "),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Contender.parse(text)
    assert message in str(caught.value)
