"""The YAML that configurations are written in: which scalars it reads, and that it reads back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcs.config.yaml_dialect import read_yaml, write_yaml
from rlcs.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("1e-4", 1e-4, "YAML 1.1 reads a text without the dot"),
        ("-2.5E+3", -2500.0, "sign and capital exponent"),
        (".5", 0.5, "no digit before the point"),
        ("010", 10, "YAML 1.1 reads octal"),
        ("0x1f", 31, "hexadecimal of the core schema"),
        ("12:30:00", "12:30:00", "YAML 1.1 reads a number in base 60"),
        ("2024-05-01", "2024-05-01", "YAML 1.1 reads a date"),
        ("no", "no", "YAML 1.1 reads false"),
        ("1_000", "1_000", "no underscores in the core schema"),
        ("true", True, ""),
        ("~", None, ""),
        ("", None, "an empty document"),
        ("'1e-4'", "1e-4", "quotes make a text"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: Any, reason: str) -> None:
    found, _ = read_yaml(text, "here")
    assert found == value, reason
    assert type(found) is type(value), reason


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab: -[]{},#&*!|>'\"%@`\t\n0e.\x00")))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        read_yaml(text, "the file")
    except ConfigError as error:
        assert str(error).startswith("the file")  # noqa: PT017 (most texts are fine)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON_VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert read_yaml(write_yaml(value), "here") == (value, [])
