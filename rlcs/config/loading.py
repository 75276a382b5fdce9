"""Configurations as files: read, overridden on the command line, written, compared.

Relative paths in a configuration (``model.path``, ``path`` of a source, ``run.folder``) are
as seen from the current directory, not from the file's: a run is started where its data
lies, and the file may come from anywhere.

Left out: files that include one another. One file is one run; what differs between two runs
stands on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rlcs.config.messages import describe_problems, describe_value
from rlcs.config.yaml_dialect import read_yaml, write_yaml
from rlcs.errors import ConfigError
from rlcs.files import write_whole

ConfigT = TypeVar("ConfigT", bound=BaseModel)


def load_config(path: str | Path, overrides: Sequence[str] = (), *, kind: type[ConfigT]) -> ConfigT:
    """Read a configuration of ``kind`` from a YAML file.

    An override is ``key.path=value``, its value in YAML, list entries by index:
    ``learner.learning_rate=1e-4``, ``data.train.0.size=10``. Relative paths inside the
    configuration are as seen from the current directory.

    Raises ConfigError naming every problem at once: keys given twice, unknown keys with the
    nearest known one, values of a wrong type or out of range, sections that contradict each
    other. A file that is missing or not YAML is named alone, with its line.
    """
    tree, problems = read_yaml(_read_text(Path(path)), str(path))
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{path}: expected sections ({', '.join(kind.model_fields)}), "
            f"found {describe_value(tree)}."
        )
    for override in overrides:
        try:
            problems += _apply_override(tree, override)
        except ConfigError as error:
            problems.append(str(error))
    try:
        config = kind.model_validate(tree)
    except ValidationError as error:
        problems += describe_problems(error, kind)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError("\n  ".join([f"{path}: {count}", *problems]))
    return config


def write_config(config: BaseModel, path: str | Path) -> None:
    """Write every key of ``config``, defaults included, as YAML that loads back equal."""
    write_whole(Path(path), write_yaml(config.model_dump()))


def config_schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of ``kind``, for editors that complete and check YAML files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}


def config_differences(old: BaseModel, new: BaseModel) -> list[str]:
    """The keys in which two configurations differ, each as ``run.num_steps: 100 -> 200``."""
    return list(_differences(old.model_dump(), new.model_dump(), ""))


def _read_text(path: Path) -> str:
    if not path.exists():
        raise ConfigError(
            f"{path}: expected a YAML file, found nothing there (looked in {Path.cwd()})."
        )
    if not path.is_file():
        raise ConfigError(f"{path}: expected a YAML file, found a folder.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected text in UTF-8, found {error}.") from None


def _apply_override(tree: dict[Any, Any], override: str) -> list[str]:
    """Set one value in ``tree``. Returns sentences about keys repeated inside the value."""
    key_path, equals, text = override.partition("=")
    keys = key_path.split(".")
    if not equals or not all(keys):
        raise ConfigError(f"override {override!r}: expected key.path=value.")
    value, repeated = read_yaml(text, f"override {override!r}")
    here: Any = tree
    for depth, key in enumerate(keys[:-1]):
        index = _index(here, key, keys[:depth], override)
        if isinstance(here, dict) and here.get(index) is None:
            here[index] = {}
        here = here[index]
    here[_index(here, keys[-1], keys[:-1], override)] = value
    return [f"override {override!r}, {sentence}" for sentence in repeated]


def _index(here: Any, key: str, above: list[str], override: str) -> str | int:
    """What ``key`` indexes in ``here``: a section's key or a list's number; ``above`` led there."""
    if isinstance(here, dict):
        return key
    name = ".".join(above)
    if not isinstance(here, list):
        raise ConfigError(
            f"override {override!r}: expected {name} to be a section or a list, "
            f"found {describe_value(here)}."
        )
    if not key.isdecimal() or int(key) >= len(here):
        entries = f"indices 0 to {len(here) - 1}" if here else "no entries"
        raise ConfigError(
            f"override {override!r}: expected an index of the list {name}, which has "
            f"{entries}; found {key!r}."
        )
    return int(key)


_ABSENT = object()


def _differences(old: Any, new: Any, key: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            inner = f"{key}.{name}" if key else str(name)
            yield from _differences(old.get(name, _ABSENT), new.get(name, _ABSENT), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (was, becomes) in enumerate(zip(old, new, strict=True)):
            yield from _differences(was, becomes, f"{key}.{index}")
    elif old != new:
        yield f"{key}: {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    return describe_value(value) if isinstance(value, dict | list) else repr(value)
