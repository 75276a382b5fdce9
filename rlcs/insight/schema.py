"""The tables of a run's cache, with what their columns mean.

``numbers`` and ``steps`` come from ``log/steps.jsonl``, ``groups`` from ``log/groups.jsonl``,
``group_facts``, ``completion_counts`` and ``suspects`` from the completions in ``rollouts``,
``problems`` from ``problems.parquet``. ``visits``, ``waste`` and ``problem_summary`` are made from
these.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 2
"""Raised with every change of a table: a cache of another version is made anew."""

GROUPS = pa.schema(
    [
        ("step", pa.int64()),
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("category", pa.string()),
        ("tier", pa.string()),
        ("draw_probability", pa.float64()),
        ("passes", pa.int64()),
        ("attempts", pa.int64()),
        ("errors", pa.int64()),
        ("tokens", pa.int64()),
        ("fate", pa.string()),
    ]
)
"""A row of ``groups.jsonl``."""

COMPLETIONS = {
    "step": "BIGINT",
    "problem_id": "VARCHAR",
    "index": "BIGINT",
    "text": "VARCHAR",
    "reward": "DOUBLE",
    "passed": "BOOLEAN",
    "outcome": "VARCHAR",
    "score": "DOUBLE",
    "extracted": "VARCHAR",
    "detail": "VARCHAR",
    "verifier_seconds": "DOUBLE",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "finish_reason": "VARCHAR",
    "forced": "BOOLEAN",
    "policy_version": "BIGINT",
    "last_policy_version": "BIGINT",
    "mean_logprob": "DOUBLE",
}
"""A row of ``rollouts/step_*.parquet``."""

OUR_FAILURES = ("bad_reference", "timeout", "error")
UNREAD = ("no_answer", "unparseable")

TABLES = {
    "notes": "name VARCHAR PRIMARY KEY, value VARCHAR",
    # A row a file of completions: whether it could be read.
    "read_files": "step BIGINT, readable BOOLEAN, reason VARCHAR",
    # A row a step: Unix time, the whole row as JSON.
    "steps": "step BIGINT, time DOUBLE, row VARCHAR",
    # Every number of a step under a flat name such as learner/loss.
    "numbers": "step BIGINT, name VARCHAR, value DOUBLE",
    "groups": (
        "step BIGINT, problem_id VARCHAR, domain VARCHAR, category VARCHAR, tier VARCHAR, "
        "draw_probability DOUBLE, passes BIGINT, attempts BIGINT, errors BIGINT, tokens BIGINT, "
        "fate VARCHAR"
    ),
    # A row a group. top_wrong: the answer that most of its completions gave that did not pass.
    "group_facts": (
        "step BIGINT, problem_id VARCHAR, completions BIGINT, truncated BIGINT, "
        "truncated_tokens BIGINT, unread BIGINT, distinct_texts BIGINT, verifier_seconds DOUBLE, "
        "top_wrong VARCHAR, num_top_wrong BIGINT"
    ),
    # Completions of a step alike in all of these. latency_bin: floor(log2 of milliseconds).
    "completion_counts": (
        "step BIGINT, domain VARCHAR, outcome VARCHAR, finish_reason VARCHAR, forced BOOLEAN, "
        "latency_bin INTEGER, completions BIGINT, tokens BIGINT, verifier_seconds DOUBLE, "
        "max_seconds DOUBLE"
    ),
    # Completions worth a look; at most 20 a kind and step.
    "suspects": (
        "step BIGINT, problem_id VARCHAR, place BIGINT, kind VARCHAR, tokens BIGINT, reward DOUBLE"
    ),
    # The run's problems, drawn or not. place: the row of problems.parquet.
    "problems": (
        "problem_id VARCHAR, split VARCHAR, domain VARCHAR, category VARCHAR, "
        "prior_pass_rate DOUBLE, question VARCHAR, reference VARCHAR, place BIGINT"
    ),
    # A row a draw: groups without the second rows of carried ones, with what came before and
    # the facts of their completions (null until these were read).
    "visits": (
        "step BIGINT, problem_id VARCHAR, domain VARCHAR, category VARCHAR, tier VARCHAR, "
        "draw_probability DOUBLE, passes BIGINT, attempts BIGINT, errors BIGINT, tokens BIGINT, "
        "fate VARCHAR, visit BIGINT, tier_before VARCHAR, step_before BIGINT, "
        "completions BIGINT, truncated BIGINT, truncated_tokens BIGINT, unread BIGINT, "
        "distinct_texts BIGINT, top_wrong VARCHAR, num_top_wrong BIGINT"
    ),
    # Draws of a step by what became of them; seconds: their share of the step's rollout.
    "waste": (
        "step BIGINT, reason VARCHAR, domain VARCHAR, groups BIGINT, tokens BIGINT, seconds DOUBLE"
    ),
    "problem_summary": (
        "problem_id VARCHAR, domain VARCHAR, category VARCHAR, tier VARCHAR, draws BIGINT, "
        "trained BIGINT, passes BIGINT, attempts BIGINT, errors BIGINT, tokens BIGINT, "
        "pass_rate DOUBLE, first_rate DOUBLE, last_rate DOUBLE, best_rate DOUBLE, "
        "first_step BIGINT, last_step BIGINT, first_solved BIGINT, best_step BIGINT, "
        "prior_pass_rate DOUBLE, question VARCHAR, reference VARCHAR, "
        "completions BIGINT, truncated BIGINT, unread BIGINT, top_wrong VARCHAR, "
        "num_top_wrong BIGINT"
    ),
}
