"""Every configuration that we ship loads, says what it needs, and needs nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from rlcs.config import GradeConfig, RunConfig, SftConfig, load_config

REPOSITORY = Path(__file__).parents[2]
CONFIGS = sorted((REPOSITORY / "configs").glob("*.yaml"))
HUB_ID = re.compile(r"[A-Za-z0-9][\w-]*/[\w.-]+")
MAX_DATA_BYTES = 300_000

each_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


def kind_of(path: Path) -> type[BaseModel]:
    """The verb that a file is for stands at the end of its name; without one it is ``train``."""
    endings: dict[str, type[BaseModel]] = {"sft": SftConfig, "grade": GradeConfig}
    return endings.get(path.stem.rpartition("_")[2], RunConfig)


def opening(path: Path) -> str:
    """The comment that a file opens with."""
    lines = path.read_text().splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(lines[:end])


def paths_read(config: BaseModel) -> Iterator[str]:
    """Every path (or hub id) that is read when ``config`` is used."""
    for model in getattr(config, "models", None) or [config.model]:  # type: ignore[attr-defined]
        if getattr(model, "path", None):
            yield model.path
    data = config.data  # type: ignore[attr-defined]
    for source in [*data.train, *data.heldout]:
        yield from filter(None, (source.path, source.images_folder))
    difficulty = getattr(data, "difficulty", None)
    if difficulty and difficulty.path:
        yield difficulty.path


def paths_written(config: BaseModel) -> Iterator[str]:
    """Every folder that is made when ``config`` is used."""
    match config:
        case RunConfig():
            yield config.run.folder
        case GradeConfig():
            yield config.grade.folder
        case SftConfig():
            yield config.output


def is_shipped(path: str) -> bool:
    """Whether a clean clone has it; what git ignores (runs/, .cache/) is not in one."""
    return Path(path).parts[0] not in ("runs", ".cache") and (REPOSITORY / path).exists()


def makers(comment: str) -> list[str]:
    """The scripts and the cold starts that a comment names; all of them must exist."""
    named = re.findall(r"(?<![\w/.])scripts/\w+|rlcs sft configs/\w+\.yaml", comment)
    for name in named:
        assert (REPOSITORY / name.rpartition(" ")[2]).is_file(), f"no such file: {name}"
    return named


def is_made(path: str, comment: str) -> bool:
    """Whether the comment names who makes ``path``: a cold start whose output it is, or a script
    beside the folder that it fills."""
    for name in makers(comment):
        if name.startswith("rlcs sft "):
            made = load_config(REPOSITORY / name.rpartition(" ")[2], kind=SftConfig).output
            if path == made:
                return True
        elif "/".join(Path(path).parts[:2]) in comment and path.startswith(".cache/"):
            return True
    return False


@each_config
def test_loads_and_opens_with_what_it_shows_and_needs(path: Path) -> None:
    load_config(path, kind=kind_of(path))
    lines = opening(path).splitlines()
    assert lines[0].endswith("."), "the first line is a sentence: what this is"
    labels = [line[2:8] for line in lines if re.match(r"# \w+: ", line)]
    assert labels == ["Shows:", "Needs:"]


@each_config
def test_reads_and_writes_nothing_outside_of_the_repository(path: Path) -> None:
    config = load_config(path, kind=kind_of(path))
    for name in [*paths_read(config), *paths_written(config)]:
        inside = (REPOSITORY / name).resolve()
        assert inside.is_relative_to(REPOSITORY), f"{name} leads out of the repository"
        assert not Path(name).is_absolute()


@each_config
def test_what_it_reads_is_shipped_or_made_by_what_it_names(path: Path) -> None:
    comment = opening(path)
    for name in paths_read(load_config(path, kind=kind_of(path))):
        of_the_hub = HUB_ID.fullmatch(name) and name in comment and "hub" in comment
        assert is_shipped(name) or is_made(name, comment) or of_the_hub, (
            f"{path.name} reads {name}, which a clean clone lacks and the opening comment does "
            "not say how to make"
        )


@each_config
def test_the_commands_of_the_opening_name_files_that_are_there(path: Path) -> None:
    for name in re.findall(r"configs/[\w/]+\.\w+", opening(path)):
        assert (REPOSITORY / name).is_file()


def test_shipped_data_are_small_and_licensed() -> None:
    for folder in (REPOSITORY / "configs" / "data").iterdir():
        if folder.is_dir():
            assert (folder / "LICENSE").is_file()
            assert sum(file.stat().st_size for file in folder.iterdir()) < MAX_DATA_BYTES


def test_a_path_that_nobody_makes_is_noticed() -> None:
    assert not is_shipped("../elsewhere/train.jsonl")
    assert not is_made("runs/other/model", "# rlcs sft configs/gsm8k_sft.yaml")
    assert is_made("runs/gsm8k_sft/model", "# rlcs sft configs/gsm8k_sft.yaml")
    assert not is_made(".cache/other/model", "# scripts/quickstart makes .cache/quickstart")
    assert is_made(".cache/quickstart/x", "# scripts/quickstart makes .cache/quickstart/x")
