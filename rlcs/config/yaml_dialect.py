"""YAML as configurations are written: safe, the YAML 1.2 core schema, and no repeated keys.

PyYAML reads YAML 1.1, where ``1e-4`` is a text, ``no`` is false, ``010`` is eight and
``12:30:00`` is a number. Here a scalar is a number, a boolean or null only where the 1.2
core schema says so; everything else is text.

Left out, as in YAML 1.2: merge keys (``<<``). Anchors and aliases work, and an aliased
section is a copy of its own.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from rlcs.errors import ConfigError

_CORE_SCHEMA = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


class _Loader(yaml.SafeLoader):
    """Reads the core schema and remembers keys that are written twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's way: none inherited)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated_keys: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if isinstance(key, str) and key in lines:
                self.repeated_keys.append(
                    f"line {line}: the key {key!r} was already given on line {lines[key]}. "
                    "Keep one of the two."
                )
            elif isinstance(key, str):
                lines[key] = line
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Writes what both YAML 1.1 and 1.2 read back as it was: ``'1e-4'`` and ``'no'`` quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _represent_str(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # PyYAML folds these three like line feeds, but reads them back as spaces.
    style = '"' if any(character in text for character in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


for _name, _pattern, _first in _CORE_SCHEMA:
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), _first
        )
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Dumper.add_representer(str, _represent_str)


def read_yaml(text: str, source: str) -> tuple[Any, list[str]]:
    """Read one YAML document. Returns its value, and a sentence for each repeated key.

    Raises ConfigError naming ``source`` and the line where the text stops being YAML.
    """
    loader = None
    try:
        loader = _Loader(text)
        return _unshared(loader.get_single_data()), loader.repeated_keys
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(f"{source}{where}: expected YAML, found an error: {said}.") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"{source}, line {line}: expected YAML, found the character "
            f"{chr(error.character)!r}, which YAML does not allow."
        ) from None
    except RecursionError:
        raise ConfigError(f"{source}: expected a tree, found one without an end.") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ConfigError(f"{source}: {error}.") from None
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(value: Any) -> str:
    """``value``, made of mappings, lists and scalars, as YAML that reads back equal."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _unshared(value: Any) -> Any:
    """Copy, so that an override of one alias does not change the others."""
    if isinstance(value, dict):
        return {key: _unshared(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_unshared(entry) for entry in value]
    return value
