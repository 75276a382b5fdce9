"""Layouts of rows that have a name: which of their columns is the question, the answer, a picture.

They are those of the programs that read such rows: verl's Parquet files, OpenRLHF's and TRL's
prompts, and conversations as ShareGPT and LLaMA-Factory have them. Of a conversation all turns
before the last answer are asked; that answer is what a cold start imitates, and the reference where
the row has no column ``answer``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlcs.config import ColumnsSection, SourceSection
from rlcs.data.stores import BadRowError, Row
from rlcs.errors import DatasetError

LAST_TURN = "the last turn"
"""The column that the last answer of a conversation is put into."""
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"} | {
    "system": "system"
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where a named layout has what a problem needs."""

    needs: tuple[str, ...]
    """The columns by which it is recognised."""
    columns: Mapping[str, str]
    """Our name of a column → theirs."""
    if_there: Mapping[str, str] = field(default_factory=dict)
    """The same for columns that rows need not have."""
    conversation: str | None = None
    """The column of whole conversations."""


PICTURES = {"images": "images", "videos": "videos"}
LAYOUTS = {
    "verl": Layout(
        needs=("prompt", "reward_model"),
        columns={"messages": "prompt", "reference": "reward_model.ground_truth"},
        if_there={"category": "data_source", **PICTURES},
    ),
    "openrlhf": Layout(
        needs=("input", "label"),
        columns={"messages": "input", "reference": "label"},
        if_there=PICTURES,
    ),
    "trl": Layout(
        needs=("prompt", "solution"),
        columns={"messages": "prompt", "reference": "solution"},
        if_there=PICTURES,
    ),
    "sharegpt": Layout(
        needs=("conversations",),
        columns={"messages": "conversations", "reference": LAST_TURN, "response": LAST_TURN},
        if_there={"reference": "answer", **PICTURES},
        conversation="conversations",
    ),
    "llamafactory": Layout(
        needs=("messages",),
        columns={"messages": "messages", "reference": LAST_TURN, "response": LAST_TURN},
        if_there={"reference": "answer", **PICTURES},
        conversation="messages",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LaidOut:
    """A source whose columns are known."""

    source: SourceSection
    """With the columns that its rows have."""
    conversation: str | None = None
    """The column of whole conversations."""

    def read(self, row: Row) -> Row:
        """The row as :mod:`rlcs.data.problems` reads it.

        Raises:
            BadRowError: its conversation is none.
        """
        if self.conversation is None:
            return row
        turns, answer = _conversation(row.get(self.conversation), self.conversation)
        values = {**row.values, self.conversation: turns, LAST_TURN: answer}
        return Row(location=row.location, values=values, place=row.place)


def lay_out(source: SourceSection, names: Sequence[str]) -> LaidOut:
    """The layout of rows with columns of these ``names``, as the source names it or by its columns.

    Raises:
        DatasetError: they are several layouts' columns, and the source names none.
    """
    chosen = source.format or _recognised(source, names)
    if chosen == "columns":
        return LaidOut(source=source)
    layout = LAYOUTS[chosen]
    found = {ours: theirs for ours, theirs in layout.if_there.items() if theirs in names}
    # The one picture of a row is often in a column of that name.
    if "images" in layout.if_there and "images" not in found and "image" in names:
        found["images"] = "image"
    default = ColumnsSection().model_dump()
    given = {
        name: value for name, value in source.columns.model_dump().items() if value != default[name]
    }
    columns = ColumnsSection(**{"question": None, **layout.columns, **found, **given})
    return LaidOut(
        source=source.model_copy(update={"columns": columns}),
        conversation=layout.conversation,
    )


def _recognised(source: SourceSection, names: Sequence[str]) -> str:
    default, given = ColumnsSection(), source.columns
    own = (given.question, given.messages, given.reference)
    if own != (default.question, default.messages, default.reference):
        return "columns"
    if default.question in names:
        return "columns"
    found = [name for name, layout in LAYOUTS.items() if set(layout.needs) <= set(names)]
    if len(found) > 1:
        raise DatasetError(
            f"{source.name}: expected the columns of one layout, found those of "
            f"{' and '.join(found)} ({', '.join(names)}). Name the one that is meant by format."
        )
    return found[0] if found else "columns"


def _conversation(value: Any, column: str) -> tuple[list[dict[str, Any]], str | None]:
    """The turns up to the last answer, and that answer; None where the last turn is the user's."""
    if not isinstance(value, list) or not value:
        raise BadRowError(f"expected a list of turns in {column!r}, found {str(value)[:80]!r}")
    turns = []
    for turn in value:
        spoken: dict[str, Any] = turn if isinstance(turn, dict) else {}
        role, text = (
            spoken.get("role", spoken.get("from")),
            spoken.get("content", spoken.get("value")),
        )
        if role not in ROLES or not isinstance(text, str):
            raise BadRowError(
                f"expected turns of human, gpt or system with a text in {column!r}, found "
                f"{str(turn)[:80]!r}"
            )
        turns.append({"role": ROLES[role], "content": text})
    if turns[-1]["role"] == "assistant":
        return turns[:-1], turns[-1]["content"]
    return turns, None
