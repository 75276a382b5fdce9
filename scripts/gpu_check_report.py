"""What ``scripts/gpu_check`` found, as tables in Markdown."""

from __future__ import annotations

from typing import Any

GB = 1e9
NOT_FITTING = "does not fit"
COLUMNS = (
    "update of adapters", "plan", "peak", "peak / plan", "of it tensors", "seconds", "tokens/s",
    "share",
)  # fmt: skip


def report(found: dict[str, Any]) -> str:
    """What was found as text with tables in Markdown."""
    lines = [
        "# The learner on " + found["device"],
        "",
        *(["**A miniature on a CPU: these numbers mean nothing.**", ""] * found["miniature"]),
        f"torch {found['torch']}, transformers {found['transformers']}. Updates ran through "
        f"{found['update_path']}. Products of matrices of {found['matrix']:,} squared in bfloat16: "
        f"{found['matrix_rate'] / 1e12:.3g} TFLOP/s. Share is the matrix operations that an update "
        "runs, recomputed ones included (scripts/gpu_check_model.py says how they are counted), "
        "over its seconds and that rate; the aim is 45 %. Peak is of the whole GPU, context "
        "included; of it tensors.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
        *(update_row(row) for row in found["updates"]),
        "",
        "| measured | found |",
        "|---|---|",
        *(f"| {name} | {text} |" for name, text in other_rows(found)),
    ]
    return "\n".join(lines) + "\n"


def update_row(row: dict[str, Any]) -> str:
    """A row of the first table."""
    name = f"{row['tokens']:,} tokens"
    if row["picture_tokens"]:
        name += f", {row['picture_tokens']:,} of them a picture"
    cells = [name, f"{row['plan_bytes'] / GB:.3g} GB"]
    if row["outcome"] == NOT_FITTING:
        return f"| {' | '.join([*cells, NOT_FITTING, *'-----'])} |"
    cells += [
        f"{row['device_peak_bytes'] / GB:.3g} GB",
        f"{row['peak_over_plan']:.2f}",
        f"{row['tensor_peak_bytes'] / GB:.3g} GB",
        f"{row['seconds']:.2f}",
        f"{row['tokens_per_second']:,.0f}",
        f"{100 * row['share_of_matrix_rate']:.0f} %",
    ]
    return f"| {' | '.join(cells)} |"


def other_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The rows of the second table."""
    own = "FlexAttention" if found["on_gpu"] else "the attention of a CPU"
    texts = {
        "attention": (
            f"{own} against dense SDPA",
            "log-probabilities differ by {mean_difference:.2g} in the mean,"
            " {largest_difference:.2g} at most; cosine of the adapters'"
            " gradients {gradient_cosine:.6f}; {tokens:,} tokens",
        ),
        "bfloat16": (
            "bfloat16 against float32, few layers",
            "log-probabilities differ by {mean_difference:.2g} in the mean, {p95_difference:.2g} at"
            " the 95th percentile; {tokens:,} tokens",
        ),
        "compilations": (
            "rows of new lengths",
            "{compilations} compilations in {lengths_that_compiled} of {lengths} lengths;"
            " {seconds:.1f} s for the first passes more than for the second",
        ),
        "mask": (
            "block mask of the longest row",
            "{gigabytes:.2g} GB at most while it is made, {seconds:.2f} s; {tokens:,} tokens",
        ),
    }
    rows = []
    for key, (name, text) in texts.items():
        values = found[key]
        fits = values["outcome"] != NOT_FITTING
        gigabytes = values.get("peak_bytes", 0) / GB
        rows.append((name, text.format(gigabytes=gigabytes, **values) if fits else NOT_FITTING))
    return rows
