"""The distribution of pass@k by domain: as a table, as plain lines, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rewards.shown import shown_line
from rlcs.files import whole
from rlcs.grading.pass_at_k import Part

BLOCKS = " ▁▂▃▄▅▆▇█"
MAX_NAME = 40
MAX_PLOTTED = 20
"""Parts that one picture shows; the largest are taken."""


def show_chart(console: Console, model: str, parts: Sequence[Part]) -> None:
    """Print the parts of one model: a table on a terminal, a line a part elsewhere."""
    if not console.is_terminal:
        for part in parts:
            console.print(_line(model, part), markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column(Text(model))
    table.add_column("problems", justify="right")
    for k in parts[0].pass_at:
        table.add_column(f"pass@{k}", justify="right")
    table.add_column("never → always")
    for part in parts:
        shares = (_percent(share) for share in part.pass_at.values())
        cells = [f"{part.num_problems:,}", *shares, _bars(part.spread)]
        table.add_row(Text(printable(part.name)), *cells)
    console.print(table)


def plot_chart(path: Path, models: Sequence[tuple[str, Sequence[Part]]]) -> bool:
    """Write the parts of all models as a PNG, a row a model; False without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    plotted = [(name, _plotted_parts(parts)) for name, parts in models]
    heights = [1.6 + 0.35 * len(parts) for _, parts in plotted]
    figure = Figure(figsize=(12, max(3.0, sum(heights))), layout="constrained")
    rows = figure.subplots(
        len(plotted),
        2,
        squeeze=False,
        gridspec_kw={"height_ratios": heights, "width_ratios": (3, 2)},
    )
    for (left, right), (name, parts) in zip(rows, plotted, strict=True):
        _plot_spread(left, name, parts)
        _plot_curves(right, parts)
    bars, labels = rows[0, 0].get_legend_handles_labels()
    figure.legend(bars, labels, fontsize="x-small", ncols=len(labels), loc="outside upper center")
    with whole(path) as partial:
        figure.savefig(partial, format="png", dpi=120)
    return True


def printable(name: str) -> str:
    """A name from the data as one short line, without characters that control a terminal."""
    line = shown_line(name)
    return line if len(line) <= MAX_NAME else line[: MAX_NAME - 3] + "..."


def _line(model: str, part: Part) -> str:
    shares = "  ".join(f"pass@{k} {_percent(share)}" for k, share in part.pass_at.items())
    spread = "|".join(map(str, part.spread))
    return (
        f"{model}  {printable(part.name)}  problems {part.num_problems:,}  {shares}  "
        f"never to always {spread}"
    )


def _bars(spread: Sequence[int]) -> str:
    most = max(spread) or 1
    # Any problem at all shows: only an empty bin is blank.
    return "".join(BLOCKS[-(-(len(BLOCKS) - 1) * number // most)] for number in spread)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _plotted_parts(parts: Sequence[Part]) -> list[Part]:
    """The domains, or the categories if there is one domain only; the largest of them."""
    domains = [part for part in parts if part.is_domain]
    chosen = domains if len(domains) > 1 else [part for part in parts if "/" in part.name]
    largest = sorted(chosen, key=lambda part: -part.num_problems)[:MAX_PLOTTED]
    return [part for part in chosen if part in largest]


def _plot_spread(axes: object, name: str, parts: Sequence[Part]) -> None:
    from matplotlib import colormaps
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    bins = len(parts[0].spread)
    colours = colormaps["RdYlGn"]
    labels = ["never", *(f"to {number}/{bins - 1}" for number in range(1, bins - 1)), "to always"]
    start = [0.0] * len(parts)
    for index, label in enumerate(labels):
        shares = [part.spread[index] / max(1, part.num_problems) for part in parts]
        axes.barh(
            range(len(parts)), shares, left=start, color=colours(index / (bins - 1)), label=label
        )
        start = [before + share for before, share in zip(start, shares, strict=True)]
    # Names are the data's: a dollar sign in them is no formula.
    names = [f"{printable(part.name)} ({part.num_problems:,})" for part in parts]
    axes.set_yticks(range(len(parts)), labels=names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of problems, by pass rate")
    axes.set_title(name, parse_math=False)


def _plot_curves(axes: object, parts: Sequence[Part]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    for part in parts:
        known = {k: share for k, share in part.pass_at.items() if share is not None}
        axes.plot(
            list(known), list(known.values()), marker="o", markersize=3, label=printable(part.name)
        )
    legend = axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    for text in legend.get_texts():
        text.set_parse_math(False)
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(parts[0].pass_at), labels=[str(k) for k in parts[0].pass_at])
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("k")
    axes.set_ylabel("pass@k")
