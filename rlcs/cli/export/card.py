"""The model card of a run: what was trained from what, on which data, how, and how well it does.

Everything in it is read from the run folder, which may be a stranger's. A value enters the header
as YAML that our own writer quotes, and the text with every sign escaped that Markdown or HTML would
read. Paths of this machine are cut to their last part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rewards.shown import shown_line
from rlcs.config import RunConfig
from rlcs.config.yaml_dialect import write_yaml
from rlcs.errors import RunFolderError
from rlcs.run.checkpoint import find_checkpoint
from rlcs.run.folder import CONFIG_NAME, read_run_config

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$:-])")
MAX_CHARACTERS = 200
MAX_ROWS = 30
SUMMARY_NAME = "summary.json"


def read_card(run: Path, repo_id: str) -> str:
    """The card of ``run``, a run folder or one of its checkpoints, as the model ``repo_id``.

    Raises:
        RunFolderError: there is no run to say anything about.
    """
    folder = run if (run / CONFIG_NAME).exists() else find_checkpoint(run).absolute().parents[1]
    if not (folder / CONFIG_NAME).exists():
        raise RunFolderError(
            f"{run}: expected a run folder with {CONFIG_NAME}, from which the model card is "
            "written, found none. Name the run, or upload the folder by `hf upload`."
        )
    config = read_run_config(folder)
    return f"---\n{_header(config)}---\n\n" + "\n".join(
        _text(config, _summary(folder / SUMMARY_NAME), repo_id)
    )


def plain(value: Any) -> str:
    """``value`` as a line of text in which Markdown and HTML find nothing to read.

    >>> plain("<b>a|b</b>")
    '&lt;b&gt;a\\\\|b&lt;/b&gt;'
    """
    line = shown_line(str(value))
    line = line if len(line) <= MAX_CHARACTERS else f"{line[: MAX_CHARACTERS - 3]}..."
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKS.sub(r"\\\1", line)


def named(path: str) -> str:
    """A hub id as it is, and of a path its last part."""
    return path if _is_hub_id(path) else Path(path).name or path


def _is_hub_id(path: str) -> bool:
    return bool(HUB_ID.fullmatch(path)) and not Path(path).exists()


def _header(config: RunConfig) -> str:
    """What the hub reads, in YAML."""
    vision = any(source.columns.images or source.columns.videos for source in config.data.train)
    values: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text" if vision else "text-generation",
        "tags": ["reinforcement-learning", "rlcs"],
    }
    if _is_hub_id(config.model.path) and not config.model.path.startswith(f"{config.run.folder}/"):
        values["base_model"] = config.model.path
    if datasets := sorted({s.hub for s in config.data.train if s.hub and HUB_ID.fullmatch(s.hub)}):
        values["datasets"] = datasets
    return write_yaml(values)


def _text(config: RunConfig, summary: Mapping[str, Any], repo_id: str) -> Iterator[str]:
    yield f"# {plain(repo_id.rpartition('/')[2])}\n"
    yield (
        f"{plain(named(config.model.path))}, trained by reinforcement learning with verifiable "
        f"rewards and curriculum sampling, by RLCS. The run is called {plain(config.run.name)}.\n"
    )
    yield "## Data\n"
    yield from _table(("data", "domain", "used for"), _sources(config))
    yield "## Recipe\n"
    yield from _table(("setting", "value"), _recipe(config, summary))
    yield "## Curriculum\n"
    settings = config.curriculum.model_dump(exclude_defaults=True)
    settings.pop("kind", None)
    rows: list[tuple[Any, ...]] = [("kind", config.curriculum.kind), *settings.items()]
    yield from _table(("setting", "value"), rows)
    yield "## Held-out accuracy\n"
    yield from _accuracy(summary)
    yield "## How to run it\n"
    yield from _use(config, repo_id)


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows[:MAX_ROWS]:
        yield f"| {' | '.join(map(plain, row))} |"
    if len(rows) > MAX_ROWS:
        yield f"\nand {len(rows) - MAX_ROWS} more."
    yield ""


def _sources(config: RunConfig) -> list[tuple[Any, ...]]:
    parts = (("training", config.data.train), ("held out", config.data.heldout))
    return [
        (source.category or named(source.name), source.columns.domain or source.domain, use)
        for use, sources in parts
        for source in sources
    ]


def _recipe(config: RunConfig, summary: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    run, rollout, learner = config.run, config.rollout, config.learner
    length = f"{rollout.max_thinking_tokens} + {rollout.max_answer_tokens} tokens"
    return [
        ("steps", summary.get("steps", run.num_steps)),
        ("completions", summary.get("rollouts", "not known")),
        ("batch", f"{run.groups_per_step} groups of {rollout.group_size} completions"),
        ("completion", f"thinking and answer of at most {length}"),
        ("temperature", rollout.temperature),
        ("objective", learner.preset or "rlcs"),
        ("learning rate", f"{learner.learning_rate:g}, {learner.schedule}"),
        ("trained", f"adapters of rank {learner.lora.rank}" if learner.lora else learner.train),
        ("type of the weights", config.model.dtype),
        ("seed", run.seed),
    ]


def _accuracy(summary: Mapping[str, Any]) -> Iterator[str]:
    found = summary.get("eval")
    parts = found if isinstance(found, Mapping) else {}
    before, after = (parts.get(name) for name in ("before", "after"))
    if not isinstance(after, Mapping):
        yield "Nothing was held out, or the run is not at its end.\n"
        return
    k = after.get("samples_per_problem")
    rows: list[tuple[Any, ...]] = [("all problems", *_shares(before, after))]
    domains = after.get("by_domain")
    for name, part in domains.items() if isinstance(domains, Mapping) else ():
        rows.append((name, *_shares(_part(before, name), part)))
    yield from _table(
        ("problems", "number", f"avg@{plain(k)} before", "after", "greedy before", "after"), rows
    )
    yield (
        "Before the first step, and after the last. The weights are those of the run's best "
        "evaluation.\n"
    )


def _part(evaluation: Any, domain: str) -> Any:
    parts = evaluation.get("by_domain") if isinstance(evaluation, Mapping) else None
    return parts.get(domain) if isinstance(parts, Mapping) else None


def _shares(before: Any, after: Any) -> tuple[Any, ...]:
    pair = [each if isinstance(each, Mapping) else {} for each in (before, after)]
    shares = (each.get(name) for name in ("accuracy", "greedy") for each in pair)
    return (pair[1].get("problems", "-"), *map(_percent, shares))


def _percent(share: Any) -> str:
    return f"{100 * share:.1f} %" if isinstance(share, int | float) else "-"


def _use(config: RunConfig, repo_id: str) -> Iterator[str]:
    yield f"```\nvllm serve {repo_id}\n```\n"
    system = {s.system_prompt for s in config.data.train if s.system_prompt}
    for prompt in sorted(system)[:3]:
        yield f"It was trained with this system prompt: {plain(prompt)}\n"
    rule = config.scoring.extraction.rule
    where = {
        "box": "in a box, `<|begin_of_box|>…<|end_of_box|>` or `\\boxed{…}`",
        "answer": "within `<answer>…</answer>`, or all that follows the thinking",
        "marker": "behind a marker such as `####`",
        "pattern": "where a pattern of the run found it",
        "last_number": "the last number of the response",
        "last_expression": "the last expression of the response",
    }[rule]
    yield f"Its answer is {where}.\n"


def _summary(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
