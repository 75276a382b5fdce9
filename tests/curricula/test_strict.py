"""The check itself, on the types of fields that no curriculum has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from curricula import Setting, SettingsError
from curricula.strict import check_settings, declared_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One field of each of these types."""

    name: Annotated[str, Setting(description="Some text.")] = "a"
    limit: Annotated[int | None, Setting(description="A whole number or none.", gt=0)] = None
    size: Annotated[float, Setting(description="Any finite number.")] = 0.0
    level: Annotated[Literal[1, 2], Setting(description="One or two.")] = 1
    tables: Annotated[
        Mapping[str, tuple[int, ...]], Setting(description="Lists by name.", lt=5)
    ] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.tables is None:
            object.__setattr__(self, "tables", {})
        check_settings(self)


def test_what_fits_is_kept() -> None:
    made = Sample(name="", limit=3, size=-(10**9), level=2, tables={"a": [1, 4]})  # type: ignore[dict-item]
    assert (made.name, made.limit, made.size, made.level) == ("", 3, -(10**9), 2)
    assert made.tables == {"a": (1, 4)}
    assert Sample(limit=None).limit is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": 3}, "name: expected text, found 3."),
        ({"limit": 0}, "limit: expected a whole number above 0, found 0."),
        ({"limit": "1"}, "limit: expected a whole number above 0, found the text '1'."),
        ({"size": float("inf")}, "size: expected a finite number, found inf."),
        ({"size": 10**400}, "size: expected a finite number, found 1000"),
        ({"level": True}, "level: expected one of 1, 2, found true."),
        ({"level": 3}, "level: expected one of 1, 2, found 3."),
        ({"tables": {"a": [1, 5]}}, "tables['a'][1]: expected a whole number below 5, found 5."),
        ({"tables": {"a": 1}}, "tables['a']: expected a list, found 1."),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Sample(**given)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_a_field_without_a_setting_is_a_mistake_of_ours() -> None:
    @dataclass(frozen=True)
    class Bare:
        count: int = 1

    with pytest.raises(TypeError, match=r"Bare\.count annotated with one Setting"):
        declared_settings(Bare)


def test_a_type_that_settings_cannot_have_is_a_mistake_of_ours() -> None:
    @dataclass(frozen=True)
    class Odd:
        names: Annotated[set[str], Setting(description="A set of names.")]

    with pytest.raises(TypeError, match="a type that settings may have"):
        check_settings(Odd(names={"a"}))
