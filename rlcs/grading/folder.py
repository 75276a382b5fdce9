"""The folder of a grading: every answer, chunk by chunk, and the table made of them.

    runs/NAME/
      config.resolved.yaml
      problems.json                           a digest of what is asked
      attempts/MODEL/piece_000001.parquet     every answer and its verdict; complete or absent
      difficulty.parquet  pass_at_k.png       when all is graded

A chunk is ``grade.problems_per_piece`` problems, which are asked, judged and saved as one. Its file
appears by a rename when all its answers are judged. (Key and file keep the word piece, because
configurations and folders of gradings have it.) Which problems are in a chunk depends on the data
alone, so a grading that was killed goes on with the first missing chunk and samples the same tokens
as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curricula import Grades, write_grades
from rlcs.config import GradeConfig, config_differences, load_config, write_config
from rlcs.errors import ResumeError, RunFolderError
from rlcs.files import whole, write_whole, writing
from rlcs.run.folder import CONFIG_NAME
from rlcs.types import Problem

PROBLEMS_NAME = "problems.json"
TABLE_NAME = "difficulty.parquet"
CHART_NAME = "pass_at_k.png"

OF_A_VERDICT = ("outcome", "detail", "finish_reason", "tokens")
"""What is read of an attempt to say how a model did."""

CHANGEABLE = re.compile(
    r"data\.|grade\.folder|scoring\.num_workers|hardware\.ray_address|"
    r"models\.\d+\.endpoint\.(base_url|key_variable|max_concurrent|timeout_seconds|deadline_seconds)"
)
"""Keys that may differ when a grading goes on: the digest stands for the data, and the others do
not change an answer."""


class GradingFolder:
    """Holds what is graded already and takes the rest; nothing is written before the first save."""

    def __init__(self, config: GradeConfig, problems: Sequence[Problem]) -> None:
        """Look at what the folder holds already.

        Raises:
            RunFolderError: the folder exists and is no grading.
            ResumeError: it is a grading of other problems, or with other settings.
        """
        self.path = Path(config.grade.folder) / config.grade.name
        self._config = config
        self._problems = problems
        self._digest = {"problems": len(problems), "digest": _digest(problems)}
        self._written = False
        if self.path.exists():
            self._check()

    def chunk(self, index: int) -> Sequence[Problem]:
        """The problems of the chunk ``index``."""
        size = self._config.grade.problems_per_piece
        return self._problems[index * size : (index + 1) * size]

    @property
    def num_chunks(self) -> int:
        """How many chunks every model has to answer."""
        return -(-len(self._problems) // self._config.grade.problems_per_piece)

    def missing(self, model: str) -> list[int]:
        """Indices of the chunks that ``model`` has not answered yet."""
        return [index for index in range(self.num_chunks) if not self._file(model, index).exists()]

    def save(self, model: str, index: int, rows: list[dict[str, Any]]) -> None:
        """Write the chunk ``index`` of ``model``; ``rows`` has one row an attempt.

        Raises:
            StorageError: the disk does not take it.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._file(model, index)
        table = pa.Table.from_pylist(rows, schema=_schema())
        with writing(f"chunk {index + 1} of {model}", self.path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._written:
                write_whole(self.path / PROBLEMS_NAME, json.dumps(self._digest) + "\n")
                write_config(self._config, self.path / CONFIG_NAME)
                self._written = True
            with whole(path) as partial:
                pq.write_table(table, partial, compression="zstd")

    def attempts(self, model: str) -> Iterator[dict[str, Any]]:
        """Every attempt of ``model`` without its text, in the order of the problems.

        Raises:
            ResumeError: the file of a chunk is damaged.
        """
        for index in range(self.num_chunks):
            yield from self._read(model, index, ["problem_id", "passed", *OF_A_VERDICT])

    def grades(self) -> Grades:
        """The counts of all models; every chunk must be there.

        Raises:
            ResumeError: the file of a chunk is damaged.
        """
        row_of = {problem.problem_id: row for row, problem in enumerate(self._problems)}
        models = [model.name for model in self._config.models]
        passes, attempts, errors = np.zeros((3, len(models), len(row_of)))
        for row, model in enumerate(models):
            for index in range(self.num_chunks):
                self._count(model, index, row_of, passes[row], attempts[row], errors[row])
        return Grades(
            ids=list(row_of),
            models=models,
            passes=passes,
            attempts=attempts,
            errors=errors,
            labels=[problem.difficulty_label or "" for problem in self._problems],
        )

    def write_table(self, grades: Grades) -> Path:
        """Write the difficulty table, whole or not at all; returns its path.

        Raises:
            StorageError: the disk does not take it.
        """
        path = self.path / TABLE_NAME
        with writing("the difficulty table", self.path), whole(path) as partial:
            write_grades(grades, partial)
        return path

    def _file(self, model: str, index: int) -> Path:
        return self.path / "attempts" / model / f"piece_{index + 1:06d}.parquet"

    def _count(
        self,
        model: str,
        index: int,
        row_of: dict[str, int],
        passes: np.ndarray,
        attempts: np.ndarray,
        errors: np.ndarray,
    ) -> None:
        for attempt in self._read(model, index, ["problem_id", "passed"]):
            row, passed = row_of[attempt["problem_id"]], attempt["passed"]
            errors[row] += passed is None
            attempts[row] += passed is not None
            passes[row] += passed is True

    def _read(self, model: str, index: int, columns: list[str]) -> list[dict[str, Any]]:
        """The attempts of a chunk, all of them at problems of this grading."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._file(model, index)
        try:
            rows: list[dict[str, Any]] = pq.read_table(path, columns=columns).to_pylist()
            known = {problem.problem_id for problem in self.chunk(index)}
            if strange := [row["problem_id"] for row in rows if row["problem_id"] not in known]:
                raise KeyError(strange[0])
        except (pa.ArrowException, OSError, KeyError) as error:
            raise ResumeError(
                f"expected a whole chunk of this grading at {path}, found a damaged one "
                f"({type(error).__name__}: {error}). Remove the file and start again; it alone "
                "is asked anew."
            ) from error
        return rows

    def _check(self) -> None:
        """Check that the folder that is there is this grading."""
        others = {entry.name for entry in self.path.iterdir()} if self.path.is_dir() else {""}
        if CONFIG_NAME not in others or PROBLEMS_NAME not in others:
            begun = ("attempts", PROBLEMS_NAME, CONFIG_NAME)
            if any(not name.startswith(begun) for name in others) or CONFIG_NAME in others:
                raise RunFolderError(
                    f"{self.path} exists and is no grading. Grade under another name: "
                    "grade.name=OTHER."
                )
            return  # killed before its first chunk
        old = load_config(self.path / CONFIG_NAME, kind=GradeConfig)
        refused = [*_changed(old, self._config), *self._changed_problems()]
        if refused:
            raise ResumeError(
                f"{self.path} holds a grading with other settings, and going on with these would "
                "mix the two:\n"
                + "\n".join(f"  {line}" for line in refused)
                + "\nUndo them, or start another grading: grade.name=OTHER. Models may be added."
            )

    def _changed_problems(self) -> list[str]:
        old = json.loads((self.path / PROBLEMS_NAME).read_text())
        if old == self._digest:
            return []
        return [
            f"the data: {old['problems']} problems -> {len(self._problems)} problems that are not "
            "the same, or not in the same order"
        ]


def _changed(old: GradeConfig, new: GradeConfig) -> list[str]:
    """What changed between the two for the models that both have, a line each."""
    by_name = {model.name: model for model in new.models}
    gone = [model.name for model in old.models if model.name not in by_name]
    kept = [model for model in old.models if model.name in by_name]
    old = old.model_copy(update={"models": kept})
    new = new.model_copy(update={"models": [by_name[model.name] for model in kept]})
    differences = config_differences(old, new)
    return [
        *(line for line in differences if not CHANGEABLE.match(line)),
        *(f"models: {name} -> (absent)" for name in gone),
    ]


def _digest(problems: Sequence[Problem]) -> str:
    """A digest of everything that is asked, and judged by."""
    digest = hashlib.blake2b(digest_size=16)
    for problem in problems:
        content = [problem.problem_id, problem.domain, problem.messages, problem.reference]
        digest.update(json.dumps(content, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _schema() -> Any:
    """Columns of a chunk's file; ``passed`` is null where our own side failed."""
    import pyarrow as pa

    texts = ("problem_id", "text", "outcome", "extracted", "detail", "finish_reason")
    return pa.schema(
        [
            *((name, pa.string()) for name in texts),
            ("index", pa.int32()),
            ("passed", pa.bool_()),
            ("score", pa.float64()),
            ("tokens", pa.int32()),
        ]
    )
