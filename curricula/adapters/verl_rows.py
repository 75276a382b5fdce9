"""What the two adapters for verl share: problems of its rows, settings of its configuration.

A row is told from others by its `data_source` (which is the curriculum's domain) and its
`extra_info.index`; `ability` is the category.
"""

from typing import Any

from curricula.knowledge.problems import ProblemSet


def ids_of(rows: Any) -> list[str]:
    """Return the problem id of each row of verl's data frame (a `datasets.Dataset`)."""
    return [
        problem_id(source, extra)
        for source, extra in zip(rows["data_source"], rows["extra_info"], strict=True)
    ]


def problems_of(rows: Any) -> ProblemSet:
    """Return the problems of verl's data frame."""
    names = ids_of(rows)
    return ProblemSet(
        names,
        [str(source) for source in rows["data_source"]],
        [str(name) for name in rows["ability"]]
        if "ability" in rows.column_names
        else [""] * len(names),
    )


def problem_id(source: Any, extra: Any) -> str:
    """Return the id of a row, from its `data_source` and `extra_info`."""
    if not isinstance(extra, dict) or "index" not in extra:
        raise ValueError(
            f"expected extra_info with an index in every row, found {extra!r} (data_source "
            f"{source!r}); write one when the data set is prepared, as verl's examples do"
        )
    return f"{source}/{extra['index']}"


def settings_of(given: Any) -> dict[str, Any]:
    """Return the settings as plain lists and mappings: OmegaConf's own are neither."""
    settings = given.get("settings") or {}
    if type(settings) is not dict:
        from omegaconf import OmegaConf

        settings = OmegaConf.to_container(settings, resolve=True)
    return dict(settings)
