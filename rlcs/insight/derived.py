"""The tables that are made from others: a row a draw, what was wasted, and a row a problem."""

from __future__ import annotations

import duckdb

MASTERED = 0.75
"""Pass rate of a group from which its problem counts as mastered in that step."""


def make(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make ``visits``, ``waste`` and ``problem_summary`` from what the other tables hold now."""
    for table, query in (("visits", _VISITS), ("waste", _WASTE), ("problem_summary", _SUMMARY)):
        cursor.execute(f"DELETE FROM {table}")
        cursor.execute(f"INSERT INTO {table} BY NAME {query}")


# A carried group has a second row in the next step, which says what became of it.
_VISITS = """
WITH beside AS (
    SELECT *, lag(fate) OVER w AS fate_before, lag(step) OVER w AS row_before,
        lead(fate) OVER w AS fate_after, lead(step) OVER w AS row_after
    FROM groups WINDOW w AS (PARTITION BY problem_id ORDER BY step)
), draws AS (
    SELECT step, problem_id, domain, category, tier, draw_probability, passes, attempts, errors,
        tokens,
        CASE WHEN fate = 'carried' AND row_after = step + 1 THEN fate_after ELSE fate END AS fate
    FROM beside
    WHERE NOT coalesce(fate_before = 'carried' AND row_before = step - 1, false)
)
SELECT draws.*, row_number() OVER w AS visit, lag(tier) OVER w AS tier_before,
    lag(step) OVER w AS step_before, completions, truncated, truncated_tokens, unread,
    distinct_texts, top_wrong, num_top_wrong
FROM draws LEFT JOIN group_facts USING (step, problem_id)
WINDOW w AS (PARTITION BY problem_id ORDER BY step)
"""

_WASTE = """
WITH times AS (
    SELECT step, max(value) FILTER (name = 'seconds/rollout') AS seconds,
        max(value) FILTER (name = 'tokens') AS all_tokens
    FROM numbers WHERE name IN ('seconds/rollout', 'tokens') GROUP BY step
), reasons AS (
    SELECT step, domain, tokens, CASE
        WHEN fate = 'trained' THEN 'trained on'
        WHEN fate = 'invalid' AND passes = 0 THEN 'all wrong'
        WHEN fate = 'invalid' THEN 'all right'
        ELSE fate END AS reason
    FROM visits
)
SELECT step, reason, domain, count(*) AS groups, coalesce(sum(tokens), 0) AS tokens,
    coalesce(sum(tokens * seconds / nullif(all_tokens, 0)), 0) AS seconds
FROM reasons LEFT JOIN times USING (step) GROUP BY step, reason, domain
"""

_SUMMARY = f"""
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
        min(step) FILTER (rate >= {MASTERED}) AS best_step,
        sum(completions) AS completions, sum(truncated) AS truncated, sum(unread) AS unread,
        arg_max(top_wrong, num_top_wrong) AS top_wrong, sum(num_top_wrong) AS num_top_wrong
    FROM rated GROUP BY problem_id
), known AS (
    SELECT problem_id, domain, category, prior_pass_rate, question, reference
    FROM problems WHERE split = 'train'
)
SELECT coalesce(seen.problem_id, known.problem_id) AS problem_id,
    coalesce(seen.domain, known.domain) AS domain,
    coalesce(seen.category, known.category) AS category, tier, coalesce(draws, 0) AS draws,
    coalesce(trained, 0) AS trained, coalesce(passes, 0) AS passes,
    coalesce(attempts, 0) AS attempts, coalesce(errors, 0) AS errors,
    coalesce(tokens, 0) AS tokens, passes / nullif(attempts, 0) AS pass_rate, first_rate,
    last_rate, best_rate, first_step, last_step, first_solved, best_step, prior_pass_rate,
    question, reference, completions, truncated, unread, top_wrong, num_top_wrong
FROM seen FULL JOIN known ON seen.problem_id = known.problem_id
"""
