"""Sections about machines: what processes run on, in which order, and what may go wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rlcs.config.section import Section


class HardwareSection(Section):
    """What the processes run on."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads_per_process: int | None = Field(default=None, ge=1)
    """CPU threads of each engine and rank; left out: all cores, or a share where there are GPUs."""
    placement: Literal["auto", "separate", "colocated"] = "auto"
    """GPUs: engines and ranks on their own, or a rank and an engine on each, used in turn; auto
    shares them where there are too few."""
    ray_address: str | None = None
    """A running cluster; a local one is started when left out."""


class ScheduleSection(Section):
    """In which order a step's parts run."""

    kind: Literal["synchronous", "overlapped"] = "synchronous"
    """``overlapped`` generates the next steps while one is learned: faster, and off-policy."""
    max_staleness: int = Field(default=1, ge=1)
    """Overlapped: versions that the oldest token drawn for a batch may lie behind the one that
    learns; one more for groups carried over from the step before."""
    segment_tokens: int | None = Field(default=None, ge=1)
    """Overlapped: completions are interrupted after so many tokens and continued under the newest
    weights; left out, they are finished by the version that began them."""


class FaultsSection(Section):
    """How long to wait for whom, and how often to try again."""

    grace_seconds: float = Field(default=300.0, gt=0)
    """An engine may take this long for a piece of work, besides the time for its tokens."""
    min_tokens_per_second: float = Field(default=10.0, gt=0)
    """The time for its tokens: the longest row at this speed, and what is expected of all rows at
    this speed or a tenth of what it was before. An engine that takes longer has stopped answering:
    it is ended and replaced."""
    start_seconds: float = Field(default=600.0, gt=0)
    """For a process to start and load its model."""
    transfer_seconds: float = Field(default=300.0, gt=0)
    """For the weights of a version to reach an engine."""
    learn_seconds: float = Field(default=3600.0, gt=0)
    """For the learner to make one update, to save or to load."""
    attempts: int = Field(default=3, ge=1)
    """A piece of work that this many engines died or failed on ends the run."""
    max_restarts: int = Field(default=3, ge=0)
    """Times in one sitting that the run starts again from its last checkpoint because a
    learner rank was lost."""
