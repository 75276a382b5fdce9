"""What is known of every row before a run: found by examining it once, and kept by the scan.

There are three kinds of facts, each of which is made from something else and kept by itself: of the
row as a problem, of its reference before its own verifier, and of its prompt.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curricula import fingerprint
from rewards import VerifierPool
from rlcs.config import VideoSection
from rlcs.data.problems import NUM_ID_CHARACTERS, build_problem
from rlcs.data.references import reference_faults
from rlcs.data.render import Renderer
from rlcs.data.sources import OpenSource
from rlcs.data.stores import BadRowError, Row
from rlcs.types import Image, Problem, Video

ROWS_READ_AT_ONCE = 64
"""Each may hold a picture, and none of these is kept."""
MADE_ID = re.compile(f"[0-9a-f]{{{NUM_ID_CHARACTERS}}}")
ROWS, REFERENCES, PROMPTS = "rows", "references", "prompts"
"""The kinds of facts."""
UNCHECKED = ""
"""In the place of a reference's fault: its verifier could not be asked."""


def schemas() -> dict[str, Any]:
    """The Arrow schema of each kind of facts."""
    import pyarrow as pa

    text = pa.large_string()
    rows = {
        "fault": text,  # why the row is no problem
        "key": pa.uint64(),  # the made id, or a digest of the given one
        "name": text,  # the given id
        "domain": text,
        "category": text,
        "rate": pa.float64(),
        "label": text,
        "content": pa.uint32(),  # the curriculum's fingerprint
        "question": pa.uint64(),  # a digest of what is asked
        "images": pa.uint16(),
        "videos": pa.uint16(),
        "files": pa.list_(text),  # of its pictures
        "stamps": pa.list_(pa.int64()),  # of these files, by which a change of them is noticed
        "shown": text,  # what `described` says of its pictures and videos, null without any
    }
    return {
        ROWS: pa.schema(list(rows.items())),
        REFERENCES: pa.schema([("fault", text)]),
        PROMPTS: pa.schema(
            [("fault", text), ("tokens", pa.int32()), ("picture_tokens", pa.int32())]
        ),
    }


@dataclass(frozen=True, kw_only=True)
class Examiner:
    """Examines the rows of sources."""

    sources: Sequence[OpenSource]
    domains: Set[str]
    """Those that have a verifier."""
    video: VideoSection
    pool: VerifierPool | None
    renderer: Renderer | None

    def problems(self, source: int, start: int, stop: int) -> list[Problem | BadRowError]:
        """The problems of rows, with the ids that their rows alone give them; or why not."""
        found: list[Problem | BadRowError] = []
        opened = self.sources[source]
        for first in range(start, stop, ROWS_READ_AT_ONCE):
            rows = opened.store.rows(first, min(stop, first + ROWS_READ_AT_ONCE))
            found += [self.problem(opened, row) for row in rows]
        return found

    def problem(self, opened: OpenSource, row: Row | BadRowError) -> Problem | BadRowError:
        """The problem of one row, or why it is none."""
        try:
            if isinstance(row, BadRowError):
                raise row
            laid = opened.laid
            return build_problem(laid.read(row), laid.source, self.domains, self.video)
        except BadRowError as error:
            return error
        except RecursionError:
            return BadRowError("expected values nested a few levels deep, found hundreds")

    def examine(self, source: int, start: int, stop: int, kinds: Sequence[str]) -> dict[str, Any]:
        """The facts of ``kinds`` of rows, an Arrow batch each."""
        import pyarrow as pa

        found = self.problems(source, start, stop)
        given = self.sources[source].laid.source.columns.id is not None
        facts: dict[str, list[dict[str, Any]]] = {}
        if ROWS in kinds:
            facts[ROWS] = [_row_facts(each, given=given) for each in found]
        good = [each for each in found if isinstance(each, Problem)]
        if REFERENCES in kinds:
            assert self.pool is not None
            faults = iter(reference_faults(good, self.pool))
            facts[REFERENCES] = [
                {"fault": next(faults) if isinstance(each, Problem) else None} for each in found
            ]
        if PROMPTS in kinds:
            assert self.renderer is not None
            sizes = iter(self.renderer.measure(good))
            facts[PROMPTS] = [
                next(sizes) if isinstance(each, Problem) else {"tokens": 0} for each in found
            ]
        known = schemas()
        return {
            kind: pa.RecordBatch.from_pylist(rows, schema=known[kind])
            for kind, rows in facts.items()
        }


def _row_facts(found: Problem | BadRowError, *, given: bool) -> dict[str, Any]:
    if isinstance(found, BadRowError):
        return {"fault": str(found)}
    name = found.problem_id
    files = [
        each
        for image in found.images
        for each in (image.stored if isinstance(image, Video) else (image.stored,))
        if isinstance(each, Path)
    ]
    num_videos = sum(isinstance(each, Video) for each in found.images)
    return {
        # A given id may be one that was made before, of the same row.
        "key": int(name, 16) if MADE_ID.fullmatch(name) else digest_of_text(name),
        "name": name if given else None,
        "domain": found.domain,
        "category": found.category,
        "rate": math.nan if found.prior_pass_rate is None else found.prior_pass_rate,
        "label": found.difficulty_label,
        "content": fingerprint(found.content),
        "question": _question_key(found),
        "images": len(found.images) - num_videos,
        "videos": num_videos,
        "files": [str(each) for each in files],
        "stamps": [stamp_of(str(each)) for each in files],
        "shown": described(found.images) if found.images else None,
    }


def described(pictures: Sequence[Image | Video]) -> str:
    """Pictures and videos as a list in JSON: name, digest, width and height (pixels) of each.

    ``file`` is where it lies, or the first of a video's files; null where it is within the data
    set's own rows.
    """
    found = []
    for shown in pictures:
        first = shown.stored[0] if isinstance(shown, Video) else shown.stored
        found.append(
            {
                "name": shown.name,
                "digest": shown.digest,
                "width": shown.width,
                "height": shown.height,
                "file": str(first) if isinstance(first, Path) else None,
            }
        )
    return json.dumps(found)


def digest_of_text(text: str) -> int:
    """64 bits of a digest, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def stamp_of(path: str) -> int:
    """By which a changed file is told: its size and its time of change; -1 where it has gone."""
    try:
        found = os.stat(path)
    except OSError:
        return -1
    return (found.st_mtime_ns ^ (found.st_size << 20)) & (2**63 - 1)


def _question_key(problem: Problem) -> int:
    """A digest of what is asked, spacing and system prompt aside."""
    turns = [
        [turn["role"], " ".join(turn["content"].split())]
        for turn in problem.messages
        if turn["role"] != "system"
    ]
    return digest_of_text(repr([*turns, *(image.digest for image in problem.images)]))


def named(problem: Problem, name: str, rate: float) -> Problem:
    """The problem under its id within the run, with its pass rate there (NaN for none)."""
    known = None if math.isnan(rate) else rate
    return replace(problem, problem_id=name, prior_pass_rate=known)
