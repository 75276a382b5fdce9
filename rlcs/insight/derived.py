"""The tables that are made from others: a row a draw, and a row a problem."""

from __future__ import annotations

import duckdb

MASTERED = 0.75
"""Pass rate of a group from which its problem counts as mastered in that step."""


def make(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make ``visits`` and ``problem_summary`` from what is in the other tables now."""
    cursor.execute("DELETE FROM visits")
    cursor.execute(_VISITS)
    cursor.execute("DELETE FROM problem_summary")
    cursor.execute(_SUMMARY)


# A carried group has a second row in the next step, which says what became of it.
_VISITS = """
INSERT INTO visits
WITH beside AS (
    SELECT *, lag(fate) OVER w AS fate_before, lag(step) OVER w AS row_before,
        lead(fate) OVER w AS fate_after, lead(step) OVER w AS row_after
    FROM groups WINDOW w AS (PARTITION BY problem_id ORDER BY step)
), draws AS (
    SELECT * REPLACE (
        CASE WHEN fate = 'carried' AND row_after = step + 1 THEN fate_after ELSE fate END AS fate
    )
    FROM beside
    WHERE NOT coalesce(fate_before = 'carried' AND row_before = step - 1, false)
)
SELECT step, problem_id, domain, category, tier, draw_probability, passes, attempts, errors,
    tokens, fate, row_number() OVER w, lag(tier) OVER w, lag(step) OVER w
FROM draws WINDOW w AS (PARTITION BY problem_id ORDER BY step)
"""

_SUMMARY = f"""
INSERT INTO problem_summary
WITH rated AS (
    SELECT *, passes / nullif(attempts, 0) AS rate FROM visits
), seen AS (
    SELECT problem_id, arg_max(domain, step) AS domain, arg_max(category, step) AS category,
        arg_max(tier, step) AS tier, count(*) AS draws,
        count(*) FILTER (fate = 'trained') AS trained, sum(passes) AS passes,
        sum(attempts) AS attempts, sum(errors) AS errors, sum(tokens) AS tokens,
        arg_min(rate, step) AS first_rate, arg_max(rate, step) AS last_rate,
        max(rate) AS best_rate, min(step) AS first_step, max(step) AS last_step,
        min(step) FILTER (passes > 0) AS first_solved,
        min(step) FILTER (rate >= {MASTERED}) AS best_step
    FROM rated GROUP BY problem_id
), known AS (
    SELECT * FROM problems WHERE split = 'train'
)
SELECT coalesce(seen.problem_id, known.problem_id), coalesce(seen.domain, known.domain),
    coalesce(seen.category, known.category), seen.tier, coalesce(draws, 0), coalesce(trained, 0),
    coalesce(passes, 0), coalesce(attempts, 0), coalesce(errors, 0), coalesce(tokens, 0),
    passes / nullif(attempts, 0), first_rate, last_rate, best_rate, first_step, last_step,
    first_solved, best_step, prior_pass_rate, question
FROM seen FULL JOIN known ON seen.problem_id = known.problem_id
"""
