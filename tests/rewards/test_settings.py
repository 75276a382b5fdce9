"""Settings are strict: types are not converted, bounds hold, names exist."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from rewards import SettingsError, UnknownDomainError, VerifierPool, domains
from rewards.registry import settings_class
from rewards.settings import NoSettings, Setting, Settings, build_settings


@dataclass(frozen=True, kw_only=True)
class Sample(Settings):
    """One field of each kind."""

    flag: Annotated[bool, Setting(description="A truth.")] = False
    count: Annotated[int, Setting(description="A whole number.", ge=1, le=9)] = 1
    share: Annotated[float, Setting(description="A number.", gt=0, lt=1)] = 0.5
    any_number: Annotated[float, Setting(description="A number without bounds.")] = 0.0
    name: Annotated[str, Setting(description="Text.")] = ""
    kind: Annotated[Literal["one", "two"], Setting(description="A choice.")] = "one"
    sizes: Annotated[tuple[int, ...], Setting(description="Whole numbers.", ge=0)] = ()
    weights: Annotated[Mapping[str, float], Setting(description="By name.", ge=0)] = ()  # type: ignore[assignment]
    limit: Annotated[int | None, Setting(description="Perhaps a number.", ge=1)] = None


def make(**values: Any) -> Sample:
    return build_settings(Sample, {"weights": {}} | values, "sample")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        *(("flag", True, True), ("count", 9, 9), ("share", 0.25, 0.25), ("any_number", 3, 3)),
        *(("name", "x", "x"), ("kind", "two", "two"), ("sizes", [0, 3], (0, 3))),
        *(("sizes", (1,), (1,)), ("weights", {"a": 1, "b": 0.5}, {"a": 1, "b": 0.5})),
        *(("limit", None, None), ("limit", 3, 3)),
    ],
)
def test_what_fits_is_kept(name: str, value: Any, kept: Any) -> None:
    found = getattr(make(**{name: value}), name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("flag", "no", "flag: expected true or false, found the text 'no'."),
        ("flag", 1, "flag: expected true or false, found 1."),
        ("count", True, "count: expected a whole number not below 1 and not above 9, found true."),
        ("count", 2.0, "expected a whole number not below 1 and not above 9, found 2.0."),
        ("count", 0, "expected a whole number not below 1 and not above 9, found 0."),
        ("count", 10, "found 10."),
        ("share", "0.5", "share: expected a number above 0 and below 1, found the text '0.5'."),
        ("share", False, "found false."),
        ("share", 0, "expected a number above 0 and below 1, found 0."),
        ("share", 1.0, "found 1.0."),
        ("share", None, "found nothing."),
        ("any_number", math.nan, "any_number: expected a number, found nan."),
        ("any_number", math.inf, "found inf."),
        ("any_number", 10**400, "found a number beyond all limits."),
        ("name", 5, "name: expected text, found 5."),
        ("name", None, "name: expected text, found nothing."),
        ("kind", "three", "kind: expected one of 'one', 'two', found the text 'three'."),
        ("kind", ["one"], "found a list."),
        ("sizes", 3, "sizes: expected a list, each item a whole number not below 0, found 3."),
        ("sizes", "12", "sizes: expected a list, each item a whole number not below 0, found the"),
        ("sizes", [1, "2"], "sizes[1]: expected a whole number not below 0, found the text '2'."),
        ("sizes", [1, -1], "sizes[1]: expected a whole number not below 0, found -1."),
        ("weights", {"a": "1"}, "weights.a: expected a number not below 0, found the text '1'."),
        ("weights", {1: 1.0}, "weights: expected an object of names, each value a number"),
        ("weights", [1.0], "found a list."),
        ("limit", 0, "limit: expected a whole number not below 1 or nothing, found 0."),
        ("limit", "x" * 500, "found the text 'xxx"),
        (
            "shares",
            0.5,
            "unknown setting 'shares'. Did you mean 'share'? Known: any_number, count,",
        ),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make(**{name: value})
    assert str(caught.value).startswith("sample")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_section_is_an_object() -> None:
    with pytest.raises(SettingsError, match="sample: expected an object of settings, found a list"):
        build_settings(Sample, [1], "sample")
    with pytest.raises(SettingsError, match="Known: none"):
        build_settings(NoSettings, {"x": 1}, "vqa")


def test_every_domain_has_a_section_with_descriptions_and_defaults_that_fit() -> None:
    for name in [*domains(), "extraction"]:
        kind = settings_class(name)
        assert kind.__doc__, name
        kind()
    with pytest.raises(UnknownDomainError, match="unknown domain 'maths'"):
        settings_class("maths")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"charts": {"tolerance": "0.5"}}, "charts.tolerance: expected a number not below 0"),
        ({"math": {"allow_restating": "no"}}, "math.allow_restating: expected true or false"),
        ({"extraction": {"boxes": "glm"}}, "extraction.boxes: expected a list"),
        ({"extraction": {"boxes": ["html"]}}, "extraction.boxes[0]: expected one of"),
        ({"text": {"pass_mark": 0}}, "text.pass_mark: expected a number above 0 and not above 1"),
        ({"vqa": {"tolerance": 0.1}}, "vqa: unknown setting 'tolerance'. Known: none."),
        (
            {"gui": {"dialect": "qwen"}},
            "gui.dialect: expected one of 'auto', 'plain', ",
        ),
        ({"gui": {"dialect": None}}, "gui.dialect: expected one of 'auto', "),
        (
            {"grounding": {"dialect": "ui_tars"}},
            "grounding.dialect: expected one of 'auto', ",
        ),
        ({"grounding": None}, "grounding: expected an object of settings, found nothing."),
        ({"mine": {"x": 1}}, "mine: expected no settings"),
    ],
)
def test_a_pool_refuses_at_once(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        VerifierPool(custom={"mine": "a.module:function"}, settings=settings)
    assert message in str(caught.value)
