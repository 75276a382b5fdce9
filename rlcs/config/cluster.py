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
    """GPUs: engines and ranks each on their own, or a rank and an engine on each, which use it
    alternately; auto shares them if there are too few."""
    ray_address: str | None = None
    """Address of a running cluster; a local one is started when left out."""


class ScheduleSection(Section):
    """In which order a step's parts run."""

    kind: Literal["synchronous", "overlapped"] = "synchronous"
    """``overlapped`` generates the next steps while one is learned: faster, and off-policy."""
    max_staleness: int = Field(default=1, ge=1)
    """Overlapped: versions that the oldest token sampled for a batch may lie behind the one that
    learns; one more for groups carried over from the step before."""
    segment_tokens: int | None = Field(default=None, ge=1)
    """Overlapped: completions are interrupted after so many tokens and continued under the newest
    weights; left out, they are finished by the version that began them."""


class FaultsSection(Section):
    """How long to wait for whom, and how often to try again."""

    grace_seconds: float = Field(default=300.0, gt=0)
    """An engine may take this long for a work item, in addition to the time for its tokens."""
    min_tokens_per_second: float = Field(default=10.0, gt=0)
    """The time for its tokens is that of its longest row at this speed, plus that of all tokens
    expected of it at this speed, or at a tenth of the speed so far if that is more. An engine
    that takes longer has stopped answering: it is ended and replaced."""
    start_seconds: float = Field(default=600.0, gt=0)
    """A process may take this long to start and load its model."""
    transfer_seconds: float = Field(default=300.0, gt=0)
    """The weights of a version may take this long to reach an engine."""
    learn_seconds: float = Field(default=3600.0, gt=0)
    """The learner may take this long to make one update, to save or to load."""
    attempts: int = Field(default=3, ge=1)
    """A work item that this many engines died or failed on ends the run."""
    max_skipped_updates: int = Field(default=3, ge=1)
    """An update whose gradient is not finite is skipped; so many in a row end the run."""
    max_restarts: int = Field(default=3, ge=0)
    """How often, in one session, the run starts again from its last checkpoint because a learner
    rank was lost."""
    wait_for_nodes_seconds: float = Field(default=600.0, ge=0)
    """Before it starts again, the cluster may take this long to have enough nodes again."""
