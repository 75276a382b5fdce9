"""``rlcs eval --benchmark`` and ``--endpoint``: a grading of named problems, and its report.

What is asked, judged and saved chunk by chunk is what ``rlcs grade`` does; so an evaluation that
was stopped goes on by the same command, and every completion lies in its folder with its verdict.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from rlcs.cli.eval.benchmark_rows import write_questions
from rlcs.cli.eval.presets import Preset, preset
from rlcs.cli.eval.report import Result, result_of, show
from rlcs.cli.trust import load_trusted
from rlcs.config import GradeConfig, RunConfig
from rlcs.errors import ConfigError
from rlcs.grading.grade import Grading, answer_all

HELDOUT = "heldout"
"""The name of a configuration's own held-out problems among the benchmarks."""
ANSWER_TOKENS = 64
NAME_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the command line asks for."""

    benchmarks: Sequence[str]
    model: str | None
    endpoint: str | None
    data: Path | None
    space: str
    limit: int | None
    out: Path | None
    overrides: Sequence[str]
    config: str | None
    trust_code: bool


def evaluate_all(wanted: Wanted) -> tuple[int, list[Result]]:
    """Evaluate on every benchmark, one after the other; the exit status and the results.

    Raises:
        ConfigError, DatasetError, ModelError: before the first question is asked of a benchmark.
        EngineError: the model, or the endpoint, does not answer.
    """
    presets = [None if name == HELDOUT else preset(name) for name in wanted.benchmarks]
    base = _base(wanted)
    results: list[Result] = []
    for name, known in zip(wanted.benchmarks, presets, strict=True):
        grading = _grading(wanted, base, known)

        def keep(done: Grading, name: str = name) -> None:
            model = done.config.models[0].name
            attempts = done.folder.attempts(model)
            results.append(result_of(name, attempts, done.config.grade.attempts))
            done.progress.say(f"{name}: completions and verdicts are in {done.folder.path}")

        status = answer_all(grading, keep, again="the same command.")
        if status:
            return status, results
    show(Console(), results)
    return 0, results


def _base(wanted: Wanted) -> RunConfig:
    """The configuration whose engines, limits and scoring the evaluation uses.

    Without a file it is one of defaults; the overrides are the same either way.
    """
    if wanted.config is not None:
        return load_trusted(
            wanted.config, wanted.overrides, kind=RunConfig, trust_code=wanted.trust_code
        )
    if wanted.model is None:
        raise ConfigError("expected a model to evaluate, found none. Name it by --model PATH.")
    path = json.dumps(wanted.model)
    text = (
        f"model: {{path: {path}}}\ndata: {{train: [{{path: none.jsonl}}]}}\n"
        "rollout: {force_answer: null}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "defaults.yaml"
        file.write_text(text, encoding="utf-8")
        return load_trusted(file, wanted.overrides, kind=RunConfig, trust_code=wanted.trust_code)


def _grading(wanted: Wanted, base: RunConfig, known: Preset | None) -> GradeConfig:
    """The grading that evaluates ``known``, or what ``base`` holds out."""
    given = base.evaluation.model_fields_set
    attempts = base.evaluation.samples_per_problem
    if known is not None and "samples_per_problem" not in given:
        attempts = known.attempts
    model = _model(wanted, base)
    name = known.name if known else HELDOUT
    values = {
        "grade": {
            "name": f"eval-{model['name']}-{name}",
            "folder": str(_out(wanted, base)),
            "seed": base.run.seed,
            "attempts": attempts,
        },
        "models": [model],
        "data": {
            "train": _sources(wanted, base, known),
            "video": base.data.video.model_dump(),
            "bad_rows": base.data.bad_rows,
        },
        "rollout": _rollout(wanted, base, known),
        "scoring": _scoring(wanted, base, known),
        "hardware": base.hardware.model_dump(),
    }
    config = GradeConfig.model_validate(values)
    if not wanted.trust_code or wanted.endpoint:
        return config
    trusted = config.models[0].model_copy(update={"trust_code": True})
    return config.model_copy(update={"models": [trusted]})


def _out(wanted: Wanted, base: RunConfig) -> Path:
    return wanted.out or Path(base.run.folder)


def _model(wanted: Wanted, base: RunConfig) -> dict[str, Any]:
    path = wanted.model or base.model.path
    name = NAME_CHARACTERS.sub("-", Path(path).name or path).strip("-.") or "model"
    if wanted.endpoint is not None:
        return {"name": name, "endpoint": {"base_url": wanted.endpoint, "model": path}}
    tokens = base.model.image_tokens
    return {
        "name": name,
        "path": path,
        "dtype": base.model.dtype,
        "image_tokens": None if tokens is None else tokens.model_dump(),
    }


def _sources(wanted: Wanted, base: RunConfig, known: Preset | None) -> list[dict[str, Any]]:
    if known is None:
        if not base.data.heldout:
            raise ConfigError("expected problems under data.heldout to evaluate on, found none.")
        return [source.model_dump() for source in base.data.heldout]
    folder = _out(wanted, base) / "benchmarks" / known.name
    path = write_questions(known, folder, data=wanted.data, space=wanted.space, limit=wanted.limit)
    columns = {name: name for name in ("question", "reference", "domain", "category")}
    columns |= {"images": "images"} if known.has_pictures else {}
    return [{"path": str(path), "columns": columns, "domain": known.domain, "category": known.name}]


def _rollout(wanted: Wanted, base: RunConfig, known: Preset | None) -> dict[str, Any]:
    """The base's limits; the benchmark's where nobody gave any."""
    values = base.rollout.model_dump()
    if known is None:
        return values
    given = base.rollout.model_fields_set
    if not given & {"max_thinking_tokens", "max_answer_tokens"}:
        values["max_thinking_tokens"] = known.max_tokens - ANSWER_TOKENS
        values["max_answer_tokens"] = ANSWER_TOKENS
    if "max_prompt_tokens" not in given:
        values["max_prompt_tokens"] = known.prompt_tokens
    if "batch_tokens" not in given:
        row = sum(values[f"max_{part}_tokens"] for part in ("prompt", "thinking", "answer"))
        values["batch_tokens"] = max(values["batch_tokens"], row)
    return values


def _scoring(wanted: Wanted, base: RunConfig, known: Preset | None) -> dict[str, Any]:
    """The base's scoring; the benchmark's rules where nobody says anything of them.

    A model that was trained by a configuration answers in the form that it was trained in.
    """
    values = base.scoring.model_dump()
    if known is None:
        return values
    if wanted.config is None and "extraction" not in base.scoring.model_fields_set:
        values["extraction"] = dict(known.extraction)
    if known.settings:
        own = values["domains"].get(known.domain) or {}
        if own.get("settings") is None and own.get("verifier") is None:
            values["domains"][known.domain] = {**own, "settings": dict(known.settings)}
    return values
