"""Settings are taken as they are: what makes no sense is refused, in words that say why."""

import dataclasses
import json
import math
from typing import Any, get_origin

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from worlds import make

from curricula import SETTINGS, Setting, SettingsError
from curricula.settings import make_settings
from curricula.strict import declared_settings

KINDS = sorted(SETTINGS)


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("nope", {}, "rlcs, "),
        ("rlcs", {"nope": 1}, "tier_weights"),
        (
            "rlcs",
            {"exploration": float("nan")},
            "exploration: expected a number not below 0 and not above 1, found nan",
        ),
        (
            "rlcs",
            {"exploration": 1.5},
            "exploration: expected a number not below 0 and not above 1, found 1.5",
        ),
        ("rlcs", {"tier_weights": (1.0,)}, "expected 5 tier_weights"),
        ("rlcs", {"boundaries": (0.1, 0.9, 0.5, 0.2)}, "falling"),
        ("uniform", {"tiers": ("a",)}, "2 to 20"),
        ("rlcs", {"tier_weights": [0.0] * 5}, "tier_weights with one above 0, found only zeros"),
        ("rlcs", {"tier_weights_end": [1.0] * 5}, "schedule_steps together or neither"),
        ("hard_stage", {"pass_rate_above": 0.5}, "pass_rate_above < pass_rate_upto"),
        ("rlcs", {"domain_ratios": {"math": 1}}, "together with domains = fixed"),
    ],
)
def test_bad_settings_are_refused(kind: str, settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make(kind, **settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("carry_over", "no", "expected true or false, found the text 'no'."),
        ("carry_over", 1, "expected true or false, found 1."),
        ("carry_over", None, "expected true or false, found nothing."),
        ("min_gap", "3", "found the text '3'."),
        ("min_gap", True, "found true."),
        ("min_gap", 1.0, "expected a whole number not below 0 and not above 1000000, found 1.0."),
        ("min_gap", -1, "expected a whole number not below 0 and not above 1000000, found -1."),
        ("min_gap", 10**6 + 1, "found 1000001."),
        ("sharpness", "3", "expected a number not below 0 and not above 20, found the text '3'."),
        ("sharpness", True, "found true."),
        ("sharpness", None, "found nothing."),
        ("sharpness", math.nan, "found nan."),
        ("sharpness", math.inf, "found inf."),
        ("sharpness", 10**400, "expected a number not below 0 and not above 20, found 1000"),
        ("sharpness", -0.1, "found -0.1."),
        ("sharpness", 20.1, "found 20.1."),
        ("sharpness", [3], "found a list of 1."),
        ("expansion", "Ratio", "expected one of 'ratio', 'predicted', found the text 'Ratio'."),
        ("expansion", True, "found true."),
        ("tiers", "abcde", "expected a list, found the text 'abcde'."),
        ("tiers", {"a": 1}, "expected a list, found a mapping of 1 keys."),
        ("tiers", ["a", "b", "c", "d", 5], "tiers[4]: expected text, found 5."),
        ("boundaries", 0.5, "expected a list, found 0.5."),
        ("boundaries", [0.9, "0.6"], "boundaries[1]: expected a number above 0 and below 1, found"),
        ("boundaries", [1.0], "boundaries[0]: expected a number above 0 and below 1, found 1.0."),
        ("tier_weights", [1, 1, 1, 1, True], "tier_weights[4]: expected a number not below 0"),
        ("tier_weights", [1, 1, 1, 1, -1], "tier_weights[4]: expected a number not below 0"),
        ("domain_ratios", [["math", 1]], "expected a mapping of keys to values, found a list of 1"),
        ("domain_ratios", {"math": "1"}, "domain_ratios['math']: expected a number not below 0"),
        ("domain_ratios", {"math": True}, "domain_ratios['math']: expected a number not below 0"),
        ("domain_ratios", {3: 1}, "domain_ratios, a key: expected text, found 3."),
    ],
)
def test_no_value_is_taken_for_another_type(name: str, value: object, message: str) -> None:
    for make_it in (
        lambda: make_settings("rlcs", {name: value}),
        lambda: SETTINGS["rlcs"](**{name: value}),  # type: ignore[arg-type]
    ):
        with pytest.raises(SettingsError) as caught:
            make_it()
        assert str(caught.value).startswith(name)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "given_", "message"),
    [
        ("rlcs", {"sharpnes": 1}, "found 'sharpnes'. Did you mean sharpness?"),
        ("rlcs", {"utility": "valid"}, "expected settings of 'rlcs' out of tiers, boundaries, "),
        ("posteriour", {}, "found 'posteriour'. Did you mean posterior?"),
        (
            "xyz",
            {},
            "out of rlcs, posterior, frontier, uniform, dapo, hard_stage, static, found 'xyz'.",
        ),
        ("uniform", {3: 1}, "found 3."),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(
    kind: str, given_: dict[Any, object], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_settings(kind, given_)
    assert message in str(caught.value)


def test_lists_are_kept_as_tuples_and_mappings_as_copies() -> None:
    ratios = {"math": 1, "chart": 2}
    made = make_settings(
        "rlcs", {"domains": "fixed", "domain_ratios": ratios, "tier_weights": [0, 1, 2, 1, 0]}
    )
    ratios["math"] = -1
    assert made == make_settings(
        "rlcs",
        {
            "domains": "fixed",
            "domain_ratios": {"math": 1, "chart": 2},
            "tier_weights": (0, 1, 2, 1, 0),
        },
    )
    assert type(dataclasses.asdict(made)["tier_weights"]) is tuple


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_says_in_a_sentence_what_it_is_for(kind: str) -> None:
    for name, (_, setting) in declared_settings(SETTINGS[kind]).items():
        assert setting.description[0].isupper(), name
        assert setting.description.endswith("."), name
        assert len(setting.description.split()) > 5, name


def values_of(hint: Any, setting: Setting) -> st.SearchStrategy[Any]:
    """Every value that a single number, choice or flag may have."""
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(int(setting.ge or 0), int(setting.le or 10**9))
    if hint is float:
        return st.floats(setting.ge, setting.le, allow_nan=False)
    return st.sampled_from(hint.__args__)


@st.composite
def kind_and_settings(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A kind, and settings of it that make sense together."""
    kind = draw(st.sampled_from(KINDS))
    declared = declared_settings(SETTINGS[kind])
    settings = {
        name: draw(values_of(hint, setting))
        for name, (hint, setting) in declared.items()
        if get_origin(hint) is not tuple and name != "domain_ratios"
    }
    num_tiers = draw(st.integers(2, 20))
    inside = st.floats(0, 1, exclude_min=True, exclude_max=True)
    edges = st.lists(inside, min_size=num_tiers - 1, max_size=num_tiers - 1, unique=True)
    names = st.lists(st.text(), min_size=num_tiers, max_size=num_tiers, unique=True)
    weights = st.lists(st.floats(0, 1e6), min_size=num_tiers, max_size=num_tiers).filter(any)
    settings |= {"tiers": draw(names), "boundaries": sorted(draw(edges), reverse=True)}
    if settings.get("domains") == "fixed":
        ratios = st.dictionaries(st.text(), st.floats(0, 1e6), min_size=1)
        settings["domain_ratios"] = draw(ratios)
    if kind == "rlcs":
        settings["tier_weights"] = draw(weights)
        settings["tier_weights_end"] = draw(weights) if settings["schedule_steps"] else []
    if kind == "frontier" and settings["max_draws"] > 1:
        settings["expansion_cap"] = 1.0
    if kind == "hard_stage":
        above, upto = sorted(draw(st.lists(inside, min_size=2, max_size=2, unique=True)))
        settings |= {"pass_rate_above": above, "pass_rate_upto": upto}
    return kind, settings


@examples(deadline=None)
@given(kind_and_settings())
def test_settings_come_back_from_a_mapping_and_from_json(
    made_of: tuple[str, dict[str, Any]],
) -> None:
    kind, settings = made_of
    made = make_settings(kind, settings)
    assert type(made) is SETTINGS[kind]
    as_mapping = dataclasses.asdict(made)
    assert as_mapping.keys() == declared_settings(SETTINGS[kind]).keys()
    assert make_settings(kind, as_mapping) == made
    assert make_settings(kind, json.loads(json.dumps(as_mapping))) == made


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_settings(kind: str) -> None:
    assert make_settings(kind, {}) == SETTINGS[kind]()
