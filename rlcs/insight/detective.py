"""Data detective: problems that teach nothing, by likely cause, and suspicious completions."""

from __future__ import annotations

from typing import Any

from rlcs.insight.run import Run

ENOUGH = 4
"""Judged completions from which a problem that was never or always solved is worth a look."""
MOST_ROWS = 100
"""Of a list on the page; a list that is saved has all of them."""
MOST_SUSPECTS = 30

CAUSES = {
    "judging fails": "Most of its completions could not be judged.",
    "answered as the reference": "Its most frequent answer reads like the reference, and was "
    "refused: a false negative of the verifier.",
    "agreed on another answer": "Its completions agree with one another, and not with the "
    "reference: that may be wrong, or the mistake is a common one.",
    "no readable answer": "Most of its completions have no answer that can be read.",
    "out of tokens": "Most of its completions ran out of tokens.",
    "out of reach": "Its completions are wrong in many ways: too hard for now.",
}
"""Likely causes of a problem that was never solved, and what speaks for each."""

_SAME = "regexp_replace(lower({}), '[^a-z0-9.\\-]', '', 'g')"
_NEVER = f"""
SELECT problem_id, domain, category, draws, attempts, errors, tokens, top_wrong, reference,
    left(question, 160) AS question, num_top_wrong / nullif(completions, 0) AS agreement,
    truncated / nullif(completions, 0) AS truncated, unread / nullif(completions, 0) AS unread,
    CASE
        WHEN errors > attempts THEN 'judging fails'
        WHEN top_wrong IS NOT NULL AND {_SAME.format("top_wrong")} <> ''
            AND {_SAME.format("top_wrong")} = {_SAME.format("reference")}
            THEN 'answered as the reference'
        WHEN truncated * 2 >= completions THEN 'out of tokens'
        WHEN unread * 2 >= completions THEN 'no readable answer'
        WHEN num_top_wrong * 2 >= completions THEN 'agreed on another answer'
        ELSE 'out of reach' END AS cause
FROM problem_summary WHERE passes = 0 AND attempts + errors >= {ENOUGH}
"""


def causes(run: Run) -> list[dict[str, Any]]:
    """A row a likely cause of problems that were never solved: ``problems`` and ``tokens``."""
    return run.store.rows(
        f"SELECT cause, count(*) AS problems, sum(tokens)::BIGINT AS tokens FROM ({_NEVER}) "
        "GROUP BY cause ORDER BY problems DESC"
    )


def never_solved(
    run: Run, cause: str = "", *, most: int | None = MOST_ROWS
) -> list[dict[str, Any]]:
    """Problems that were never solved, of one cause or of all, those first whose completions agree
    most, then the costliest; at most ``most``, or all.

    ``agreement``, ``truncated`` and ``unread`` are shares of their completions; ``agreement`` is
    that of the most frequent wrong answer of each draw. None while completions are being read.
    """
    return run.store.rows(
        f"SELECT * FROM ({_NEVER}) WHERE ? IN ('', cause) "
        "ORDER BY coalesce(agreement, 0) DESC, tokens DESC, problem_id LIMIT ?",
        [cause, most],
    )


def always_solved(run: Run, *, most: int | None = MOST_ROWS) -> list[dict[str, Any]]:
    """Problems all of whose completions passed, in at least two draws, the costliest first; at most
    ``most``, or all. ``number`` is how many there are in all."""
    return run.store.rows(
        "SELECT problem_id, domain, category, draws, attempts, tokens, "
        "left(question, 160) AS question, count(*) OVER () AS number FROM problem_summary "
        "WHERE passes = attempts AND attempts >= ? AND draws >= 2 "
        "ORDER BY tokens DESC, problem_id LIMIT ?",
        [ENOUGH, most],
    )


def suspicious(run: Run) -> list[dict[str, Any]]:
    """A row a kind of suspicious completion: how many were noted (at most 20 a step)."""
    return run.store.rows(
        "SELECT kind, count(*) AS completions, count(DISTINCT problem_id) AS problems, "
        "max(step) AS last_step FROM suspects GROUP BY kind ORDER BY completions DESC"
    )


def suspects(run: Run, kind: str = "", *, most: int | None = MOST_SUSPECTS) -> list[dict[str, Any]]:
    """Suspicious completions of one kind or of all, the newest first: ``kind``, where each stands,
    ``tokens`` and ``reward``; at most ``most``, or all."""
    return run.store.rows(
        "SELECT kind, step, problem_id, place, tokens, reward FROM suspects "
        "WHERE ? IN ('', kind) ORDER BY kind, step DESC, tokens, problem_id LIMIT ?",
        [kind, most],
    )
