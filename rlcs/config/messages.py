"""What is wrong with a configuration, in plain words.

pydantic finds the problems; this module says each in one sentence that names the dotted
key, what was expected, what was found and, for a key that does not exist, the nearest one
that does.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Union

from pydantic import BaseModel, ValidationError

MAX_MEANT = 3
"""A key that more sections have says nothing about which of them was meant."""

_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping of keys to values",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "invalid_key": "keys that are texts",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_attributes_type": "a section (a mapping of keys to values)",
    "model_type": "a section (a mapping of keys to values)",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number not below {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number not above {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_type": "text",
    "tuple_type": "a list",
    "too_short": "a list with at least {min_length} entry",
}
"""Error type of pydantic → what it expected, with the error's context filled in."""


def describe_problems(error: ValidationError, kind: type[BaseModel]) -> list[str]:
    """A few sentences for each problem that pydantic found in a ``kind``."""
    sentences = (_sentence(found, kind) for found in error.errors(include_url=False))
    # A check across sections tells several problems, one a line.
    return [line for sentence in sentences for line in sentence.splitlines()]


def describe_value(value: Any) -> str:
    """``value`` in words that tell a text from a number and a list from a section."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        shown = value if len(value) <= 60 else value[:57] + "..."
        return f"the text {shown!r}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"a section with {_listed(value)}" if value else "an empty section"
    return repr(value)


def _sentence(found: Any, kind: type[BaseModel]) -> str:
    path, section, leaf = _locate(kind, found["loc"])
    where = f"{path}: " if path else ""
    context = {name: _plain(value) for name, value in found.get("ctx", {}).items()}
    if found["type"] == "extra_forbidden":
        return f"{where}unknown key. {_advice(path, section, kind)}"
    if found["type"] == "missing":
        return f"{where}expected {_required(leaf)}, found nothing: this key has no default."
    if found["type"] == "union_tag_invalid":
        key = f"{path}.{context['discriminator']}".replace("'", "")
        return f"{key}: expected one of {context['expected_tags']}, found {context['tag']!r}."
    if found["type"] == "value_error":
        return f"{where}{context['error']}"
    if found["type"] in _EXPECTED:
        expected = _EXPECTED[found["type"]].format(**context)
        return f"{where}expected {expected}, found {describe_value(found['input'])}."
    return f"{where}{found['msg']}; found {describe_value(found['input'])}."


def _plain(bound: Any) -> Any:
    """Without the decimal point that nobody wrote: a bound of 1 is shown as 1, not as 1.0."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _advice(path: str, section: type[BaseModel] | None, kind: type[BaseModel]) -> str:
    parent, _, key = path.rpartition(".")
    known = list(section.model_fields) if section else []
    near = difflib.get_close_matches(key, known, n=1)
    every = dict.fromkeys(_all_keys(kind))  # kinds of one section share keys
    elsewhere = [other for other in every if other.rpartition(".")[2] == key and other != path]
    meant = elsewhere if 0 < len(elsewhere) <= MAX_MEANT else near
    guess = f"Did you mean {' or '.join(meant)}? " if meant else ""
    owner = parent or "a configuration"
    return f"{guess}Known keys of {owner}: {_listed(known)}."


def _required(leaf: Any) -> str:
    if _is_model(leaf):
        needed = [name for name, field in leaf.model_fields.items() if field.is_required()]
        return f"a section with {_listed(needed)}" if needed else "a section"
    return "a list" if typing.get_origin(leaf) is list else "text"


def _locate(
    kind: type[BaseModel], location: Sequence[str | int]
) -> tuple[str, type[BaseModel] | None, Any]:
    """Dotted path of a location, the section that its last key is in, and that key's type.

    pydantic puts the chosen member of a union into the location; the path leaves it out.
    """
    here: Any = kind
    section: type[BaseModel] | None = None
    parts: list[str] = []
    for part in location:
        members = _members(here)
        if len(members) > 1:
            here = next((member for member in members if _is_chosen(member, part)), None)
            continue
        section, here = _step(members[0], part)
        parts.append(str(part))
    members = _members(here)
    return ".".join(parts), section, members[0] if len(members) == 1 else here


def _step(here: Any, part: str | int) -> tuple[type[BaseModel] | None, Any]:
    """The section (if ``here`` is one) and the type of its ``part``."""
    if _is_model(here):
        field = here.model_fields.get(str(part))
        return here, field.annotation if field else _of_any_name(here)
    arguments = typing.get_args(here)
    return None, arguments[-1] if arguments else None


def _of_any_name(section: type[BaseModel]) -> Any:
    """The type of a key that the section does not name itself, where it takes such keys."""
    if section.model_config.get("extra") != "allow":
        return None
    return typing.get_args(typing.get_type_hints(section)["__pydantic_extra__"])[1]


def _members(annotation: Any) -> list[Any]:
    """The types that a value may have, None left out."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _members(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (Union, types.UnionType):
        arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
        return [member for argument in arguments for member in _members(argument)]
    return [annotation]


def _is_chosen(member: Any, part: str | int) -> bool:
    if not _is_model(member):
        return False
    return member.__name__ == part or any(
        part in typing.get_args(field.annotation)
        for field in member.model_fields.values()
        if typing.get_origin(field.annotation) is Literal
    )


def _all_keys(kind: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in kind.model_fields.items():
        yield prefix + name
        for member in _members(field.annotation):
            if _is_model(member):
                yield from _all_keys(member, f"{prefix}{name}.")


def _is_model(annotation: Any) -> typing.TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _listed(names: Any) -> str:
    return ", ".join(str(name) for name in names)
