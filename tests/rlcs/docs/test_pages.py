"""The pages: links lead somewhere, configurations load, commands parse, examples run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rlcs.cli.arguments import is_override
from rlcs.cli.main import build_parser
from rlcs.config import GradeConfig, RunConfig, SftConfig, load_config
from rlcs.config.yaml_dialect import read_yaml, write_yaml

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / "rlcs" / "docs"
OWN = [REPOSITORY / "README.md", REPOSITORY / "scripts" / "README.md", *sorted(FOLDER.glob("*.md"))]
PAGES = [
    *OWN,
    REPOSITORY / "rewards" / "README.md",
    REPOSITORY / "curricula" / "README.md",
    REPOSITORY / "configs" / "data" / "README.md",
]
MAX_README_LINES = 150
MAX_PICTURE_BYTES = 150_000
PACKAGES = "rlcs|rewards|curricula|configs|scripts|tests"


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in a language; ``""`` for those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def commands(page: Path, program: str) -> Iterator[str]:
    """The command lines of a page that call ``program``, without a prompt or a pipe around them."""
    for block in blocks(page, ""):
        for line in block.splitlines():
            if found := re.match(rf"(?:\w*\$ +)?({program}.*)", line):
                yield found[1].partition(" | ")[0]


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
each_own_page = pytest.mark.parametrize("page", OWN, ids=name_of)


@each_page
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(REPOSITORY), f"{link} leads out of the repository"
        assert target.exists(), f"{link} leads nowhere"
        assert not heading or heading in anchors(target), f"{link}: no such heading"


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text).lower().replace(" ", "-") for text in headings}


@each_own_page
def test_files_that_are_named_exist(page: Path) -> None:
    for name in re.findall(rf"`((?:{PACKAGES})/[\w/.]*)", page.read_text()):
        assert (REPOSITORY / name).exists(), f"there is no {name}"


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_every_page_is_listed_and_says_whom_it_is_for() -> None:
    index = (FOLDER / "README.md").read_text()
    for page in FOLDER.glob("*.md"):
        if page.name != "README.md":
            assert f"({page.name})" in index
            assert page.read_text().split("\n\n")[1].startswith("This page is for ")


def test_pictures_are_small() -> None:
    pictures = list(FOLDER.glob("*.png"))
    assert pictures
    assert all(picture.stat().st_size < MAX_PICTURE_BYTES for picture in pictures)


YAML_BLOCKS = [
    pytest.param(text, id=f"{name_of(page)}-{number}")
    for page in OWN
    for number, text in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize("text", YAML_BLOCKS)
def test_configurations_load(text: str, tmp_path: Path) -> None:
    """A whole configuration as it is; a part of one with the least that a run needs beside it.

    A list is what stands under ``data.train``.
    """
    tree, repeated = read_yaml(text, "block")
    assert not repeated
    if isinstance(tree, list):
        tree = {"data": {"train": tree}}
    path = tmp_path / "config.yaml"
    path.write_text(text if is_whole(tree) else write_yaml(completed(tree)))
    load_config(path, kind=kind_of(tree))


def kind_of(tree: dict[str, Any]) -> type[BaseModel]:
    """The verb of a configuration."""
    if "models" in tree:
        return GradeConfig
    return SftConfig if "output" in tree else RunConfig


def is_whole(tree: dict[str, Any]) -> bool:
    return "data" in tree and bool({"model", "models"} & tree.keys())


def completed(tree: dict[str, Any]) -> dict[str, Any]:
    data = {"train": [{"path": "problems.jsonl"}], **tree.get("data", {})}
    return {"model": {"path": "model"}, **tree, "data": data}


def test_the_readme_has_a_whole_configuration() -> None:
    (text,) = blocks(REPOSITORY / "README.md", "yaml")
    assert is_whole(read_yaml(text, "block")[0])


COMMANDS = sorted({line for page in PAGES for line in commands(page, "rlcs ")})


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line: str) -> None:
    arguments, rest = build_parser().parse_known_args(shlex.split(line, comments=True)[1:])
    assert all(map(is_override, rest)), f"unknown: {rest}"
    assert not rest or hasattr(arguments, "overrides")
    config = getattr(arguments, "config", None)
    if config and config.startswith("configs/"):
        assert (REPOSITORY / config).is_file()


KEY = re.compile(rf"`((?:{'|'.join(RunConfig.model_fields)})\.[a-z_.]+)")
KEYS = sorted({key for page in OWN for key in KEY.findall(prose(page))})


@pytest.mark.parametrize("key", [key for key in KEYS if not key.endswith((".py", ".md", "."))])
def test_keys_that_are_named_exist(key: str) -> None:
    known = set(keys_of(RunConfig.model_json_schema()))
    assert key in known, f"no key {key}"


def keys_of(schema: dict[str, Any]) -> Iterator[str]:
    """Every key and section of a configuration, by its dotted path; of all kinds of a section."""

    def walk(node: dict[str, Any], above: str) -> Iterator[str]:
        if "$ref" in node:
            yield from walk(schema["$defs"][node["$ref"].rpartition("/")[2]], above)
        for part in [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]:
            yield from walk(part, above)
        for name, part in node.get("properties", {}).items():
            yield f"{above}{name}"
            yield from walk(part, f"{above}{name}.")

    return walk(schema, "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=f"{page}-{number}")
        for page in ("own_verifier.md", "own_trainer.md")
        for number, text in enumerate(blocks(FOLDER / page, "python"))
    ],
)
def test_examples_run(text: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", "import example"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"# (\[.*\])$", text, re.MULTILINE)
    assert done.stdout.split("\n")[: len(promised)] == promised
