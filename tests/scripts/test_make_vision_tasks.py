"""The tasks of the vision quickstart: the same by seed, apart from each other, and answerable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rewards import Outcome, Request, gold_answer, verify

pytestmark = pytest.mark.long  # matplotlib alone takes seconds to start

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_vision_tasks"
DOMAINS = ("charts", "counting", "grounding", "gui")
PARTS = ("heldout", "train", "demonstrations")


def make(folder: Path, seed: int) -> Path:
    command = [sys.executable, str(SCRIPT), str(folder)]
    numbers = ["--train", "12", "--heldout", "6", "--demonstrations", "18", "--seed", str(seed)]
    subprocess.run([*command, *numbers], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("tasks"), seed=3)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def rows(folder: Path, part: str, domain: str) -> list[dict[str, Any]]:
    lines = (folder / part / f"{domain}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_seed_makes_the_same_files_and_another_one_makes_others(
    tasks: Path, tmp_path: Path
) -> None:
    assert files(make(tmp_path / "again", seed=3)) == files(tasks)
    other = files(make(tmp_path / "other", seed=4))
    assert other.keys() == files(tasks).keys()
    for domain in DOMAINS:
        name = f"train/{domain}.jsonl"
        assert other[name] != files(tasks)[name]


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_question_about_a_picture_is_in_two_places(tasks: Path, domain: str) -> None:
    asked = [
        (row["question"], (tasks / part / row["picture"]).read_bytes())
        for part in PARTS
        for row in rows(tasks, part, domain)
    ]
    assert len(asked) == 12 + 6 + 18
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("domain", DOMAINS)
def test_references_and_demonstrations_pass_the_verifier(tasks: Path, domain: str) -> None:
    for part in PARTS:
        for row in rows(tasks, part, domain):
            gold = gold_answer(domain, row["answer"])
            assert gold is not None
            answers = [(gold, True)]
            if part == "demonstrations":
                answers.append((row["response"], False))
            for response, bare in answers:
                request = Request(
                    domain=domain,
                    response=response,
                    reference=row["answer"],
                    question=row["question"],
                    bare=bare,
                )
                assert verify(request).outcome is Outcome.CORRECT, row
