"""The data section: where problems come from, and what is known about their difficulty."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from rlcs.config.section import Section

Format = Literal["columns", "verl", "openrlhf", "trl", "sharegpt", "llamafactory"]
"""Layouts of rows that have a name; ``rlcs.data.layouts`` says which columns each of them has."""


class ColumnsSection(Section):
    """Which column of a row holds what; a column left out is not read.

    A name with dots leads into objects: ``reward_model.ground_truth``.
    """

    question: str | None = "question"
    """Text of the one user turn."""
    messages: str | None = None
    """A list of ``{"role", "content"}`` turns, or the one turn's text, in place of ``question``."""
    reference: str = "answer"
    id: str | None = None
    """Unique ids; made from the content when left out."""
    domain: str | None = None
    category: str | None = None
    pass_rate: str | None = None
    """Pass rate from offline grading, in [0, 1]."""
    label: str | None = None
    """What a person said of the difficulty: a tier's name, or a number (see data.difficulty)."""
    response: str | None = None
    """A whole response to imitate (cold start)."""
    thinking: str | None = None
    """The thinking alone; the response is built around it and the reference (cold start)."""
    images: str | None = None
    """Pictures: a file's name, encoded bytes, or a list of these. ``<image>`` in the text says
    where each stands; without any they stand before the last turn."""
    videos: str | None = None
    """Videos: a file's name, encoded bytes, ``{"frames": pictures, "seconds": times}``, or a list
    of these. ``<video>`` in the text says where each stands."""

    @model_validator(mode="after")
    def check_question(self) -> ColumnsSection:
        if self.question is None and self.messages is None:
            raise ValueError("expected question or messages to name a column; found neither.")
        return self


class SourceSection(Section):
    """Where rows come from: exactly one of ``path``, ``hub`` and ``reasoning_gym``."""

    path: str | None = None
    """A file (JSONL, JSON, CSV, TSV, Parquet; all but the last also as .gz or .zst), a folder of
    such files, a pattern that names several (``shards/*.parquet``), or a folder that ``datasets``
    saved."""
    format: Format | None = None
    """How a row is laid out, by the name of the program that reads such rows; ``columns`` for rows
    whose columns are named here. Left out, it is recognised by the names of the columns."""
    hub: str | None = None
    """A data-set id on the Hugging Face hub."""
    subset: str | None = None
    """Configuration name of a hub data set."""
    split: str = "train"
    """Split of a hub data set, or of a folder that ``datasets`` saved with several."""
    reasoning_gym: str | None = None
    """A task of the reasoning-gym package, for example ``chain_sum``."""
    knobs: dict[str, Any] = Field(default_factory=dict)
    """Difficulty knobs of the reasoning-gym task."""
    size: int = Field(default=500, ge=1)
    """Problems to generate from a reasoning-gym task."""
    seed: int = Field(default=0, ge=0)
    """Seed of the reasoning-gym task."""
    columns: ColumnsSection = ColumnsSection()
    reference_pattern: str | None = None
    """Regular expression; its first group, searched in the reference column, is the reference."""
    thinking_pattern: str | None = None
    """Regular expression; its first group, searched in the thinking column, is the thinking."""
    domain: str = "math"
    """Domain of rows without a domain column."""
    category: str | None = None
    """Category of rows without a category column; the source's own name when left out."""
    system_prompt: str | None = None
    images_folder: str | None = None
    """The folder that holds all pictures' and videos' files; that of ``path`` when left out."""
    limit: int | None = Field(default=None, ge=1)
    """Use the first rows only."""

    @field_validator("reference_pattern", "thinking_pattern")
    @classmethod
    def check_pattern(cls, pattern: str | None) -> str | None:
        try:
            num_groups = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(
                f"expected a regular expression, found {pattern!r}: {error}."
            ) from None
        if num_groups < 1:
            raise ValueError(
                f"expected a regular expression with a group, found {pattern!r}. "
                "Put parentheses around what is wanted."
            )
        return pattern

    @model_validator(mode="after")
    def check_one_origin(self) -> SourceSection:
        given = [key for key in ("path", "hub", "reasoning_gym") if getattr(self, key) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(
                f"expected exactly one of path, hub, reasoning_gym; found {found}. "
                "Write one list entry for each source."
            )
        return self

    @property
    def name(self) -> str:
        """The name of this source in reports."""
        return self.path or self.hub or f"reasoning_gym:{self.reasoning_gym}"


class VideoSection(Section):
    """Which frames of a video the model is shown."""

    frames_per_second: float = Field(default=2.0, gt=0, le=60)
    """At which rate frames are taken."""
    max_frames: int = Field(default=32, ge=2, multiple_of=2)
    """Of a longer video so many are taken, spread over all of it. An even number: a patch spans two
    frames."""


class DataSection(Section):
    """The problems that are trained on, and those that are held out to measure the model."""

    train: list[SourceSection] = Field(min_length=1)
    heldout: list[SourceSection] = Field(default_factory=list)
    """Never trained on: rows of ``train`` that ask the same question are taken out."""
    bad_rows: Literal["refuse", "drop"] = "refuse"
    """What happens where rows cannot be used: nothing starts, or they are left out, counted, and
    written with their reasons to a file in the output folder."""
    drop: str | None = None
    """A file of problem ids, one a line, as the dashboard exports them: these are not trained
    on."""
    video: VideoSection = VideoSection()
    """How videos are shown, those of all sources alike."""


class DifficultySection(Section):
    """What is known about the training problems' difficulty before the run, as its prior.

    A problem that neither the table nor a label grades keeps the pass rate of
    ``columns.pass_rate``, if it has one.
    """

    path: str | None = None
    """A difficulty table (Parquet), as ``rlcs grade`` writes it; without one only labels count."""
    models: list[str] = Field(default_factory=list)
    """The models of the table that count, from the oldest to the newest; all when empty."""
    merge: Literal["weighted", "mean", "best", "last"] = "weighted"
    """How several models' pass rates become one: all attempts added up, the mean of the rates,
    or the rate of the best or of the last model that was asked."""
    labels: Literal["counts", "first", "ignore"] = "counts"
    """People's labels count as ``label_weight`` attempts, or decide alone, or not at all. They
    come from ``columns.label`` and, for problems without one there, from the table."""
    label_weight: float = Field(default=4.0, gt=0)
    """Attempts that a label is worth."""
    label_scale: list[float] = Field(default=[1.0, 5.0], min_length=2, max_length=2)
    """The easiest and the hardest number a label can be."""

    @field_validator("label_scale")
    @classmethod
    def check_scale(cls, scale: list[float]) -> list[float]:
        if scale[0] == scale[1]:
            raise ValueError(f"expected two different ends of the scale, found {scale}.")
        return scale


class TrainingDataSection(DataSection):
    """The data of an RL run: problems to train on, problems held out, and known difficulty."""

    difficulty: DifficultySection | None = None

    @model_validator(mode="after")
    def check_difficulty(self) -> TrainingDataSection:
        labelled = [source.name for source in self.train if source.columns.label is not None]
        if self.difficulty is None:
            if labelled:
                raise ValueError(
                    f"columns.label names a column of labels in {labelled[0]}, but nothing says "
                    "how they count. Add difficulty: {labels: first}, or counts."
                )
        elif self.difficulty.path is None and not labelled:
            raise ValueError(
                "difficulty: expected path (a difficulty table) or a column of labels "
                "(columns.label of a source), found neither."
            )
        elif self.difficulty.path is None and self.difficulty.labels == "ignore":
            raise ValueError(
                "difficulty: expected path (a difficulty table) where labels = ignore, found none."
            )
        return self
