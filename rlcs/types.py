"""What passes between the stages of a step: frozen records, one a boundary.

Shapes use T for the tokens of one completion, P for the tokens of a prompt and G for the
completions of one group. Arrays are numpy, so that every record crosses Ray by pickle
without copies of torch storage. A field keeps its meaning along the whole way: the
advantage is never written over the reward.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rewards import Verdict

Message: TypeAlias = dict[str, str]
"""One chat turn: ``{"role": ..., "content": ...}``; ``<image>`` stands for the next picture, and
``<video>`` for the next video."""


@runtime_checkable
class Stored(Protocol):
    """Where encoded bytes lie that are read when they are wanted: a file, or a row of the data."""

    def read_bytes(self) -> bytes:
        """The bytes. OSError: they have gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A picture as it is stored: PNG, JPEG, ..., in a file or as bytes.

    It crosses processes by its bytes: another node need not see the file.
    """

    name: str
    """What messages call it: the file as its row names it, or the digest."""
    digest: str
    """Of the encoded bytes: two are the same picture where it is the same."""
    width: int
    """Pixels"""
    height: int
    """Pixels"""
    stored: Stored | bytes
    """The file or the row that holds it, or what is in one."""

    def read(self) -> bytes:
        """The encoded bytes.

        Raises:
            OSError: the file has gone.
        """
        return self.stored if isinstance(self.stored, bytes) else self.stored.read_bytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return _image, (self.name, self.digest, self.width, self.height, self.read())


def _image(name: str, digest: str, width: int, height: int, stored: bytes) -> Image:
    return Image(name=name, digest=digest, width=width, height=height, stored=stored)


@dataclass(frozen=True, kw_only=True, slots=True)
class Video:
    """A video as it is stored, and which of its frames the model is shown.

    It crosses processes by its bytes: another node need not see the files.
    """

    name: str
    """What messages call it: the file as its row names it, or the digest."""
    digest: str
    """Of the encoded bytes and of the frames that are shown."""
    width: int
    """Pixels"""
    height: int
    """Pixels"""
    stored: tuple[Stored | bytes, ...]
    """One file that holds all frames, or a picture's file for each frame that is shown."""
    frames: tuple[int, ...]
    """The frames that are shown, an even number F of them: which of the file, in rising order.
    Where there is a file for each, which of the files."""
    seconds: tuple[float, ...]
    """[F] when in the video each of them is to be seen."""
    seconds_per_frame: float
    """How far they are apart in the mean."""

    def read(self) -> tuple[bytes, ...]:
        """The encoded bytes.

        Raises:
            OSError: a file has gone.
        """
        return tuple(each if isinstance(each, bytes) else each.read_bytes() for each in self.stored)

    def __reduce__(self) -> tuple[Any, ...]:
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        return _video, (known | {"stored": self.read()},)


def _video(known: dict[str, Any]) -> Video:
    return Video(**known)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One row of a data set: something to ask and how to know that an answer is right."""

    problem_id: str
    domain: str
    """Names the verifier: ``math``, ``charts``, ..."""
    category: str
    """A finer name inside the domain, for the curriculum and for reports."""
    messages: tuple[Message, ...]
    reference: Any
    """What the domain's verifier compares with: a string, number, list or object."""
    question: str
    """The last user turn, for verifiers that look at what was asked."""
    prior_pass_rate: float | None = None
    """Pass rate in [0, 1] from offline grading, None when unknown."""
    difficulty_label: str | None = None
    """What a person said of the difficulty: a tier's name or a number, None when nobody did."""
    demonstration: str | None = None
    """A whole response to imitate in the cold start, None outside of it."""
    images: tuple[Image | Video, ...] = ()
    """The pictures and videos of ``messages``, in their order."""
    location: str = field(default="", compare=False)
    """The file and line of its row; empty where it has none."""

    @property
    def where(self) -> str:
        """What messages call it: where its row is, and its id."""
        return f"{self.location} ({self.problem_id})" if self.location else self.problem_id

    @property
    def content(self) -> str:
        """What makes it another problem when it is edited, for the curriculum's fingerprint."""
        return json.dumps(
            [self.messages, self.reference, *(image.digest for image in self.images)],
            default=str,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prompt:
    """A problem as the model reads it."""

    problem_id: str
    token_ids: NDArray[np.int64]
    """[P] int64, chat template applied, generation prompt opened; a picture is as many tokens
    as the model makes of it, all the same."""
    images: tuple[Image | Video, ...] = ()
    """In their order."""
    template_ids: NDArray[np.int64] | None = None
    """[Q] int64, as the chat template alone has it, with one token for each picture or video; None
    without any."""


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    """The model sampled an end token."""
    LENGTH = "length"
    """The token budget ran out."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Completion:
    """One answer of the model to one prompt."""

    problem_id: str
    token_ids: NDArray[np.int64]
    """[T] int64, the end token included when it was sampled."""
    logprobs: NDArray[np.float32]
    """[T] float32, natural log-probability of each token under the policy that sampled it,
    at the sampling temperature; 0 for inserted tokens."""
    loss_mask: NDArray[np.bool_]
    """[T] bool, False for tokens inserted by force answering."""
    text: str
    """The tokens decoded, special tokens kept, end token left out."""
    finish_reason: FinishReason
    policy_version: int
    """The version that sampled it; of a completion in segments, the first of them."""
    segments: tuple[tuple[int, int], ...] = ()
    """(tokens, version) of each segment of a completion that was continued under newer
    weights; empty when one version sampled it all."""

    @property
    def token_versions(self) -> np.ndarray:
        """[T] int64, the version of the policy that sampled each token."""
        segments = self.segments or ((len(self.token_ids), self.policy_version),)
        return np.concatenate([np.full(length, version) for length, version in segments])

    @property
    def last_policy_version(self) -> int:
        """The version of the policy that sampled the last token."""
        return self.segments[-1][1] if self.segments else self.policy_version

    @property
    def forced(self) -> bool:
        """Whether thinking ran over its budget and was closed for the model."""
        return not bool(self.loss_mask.all())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RolloutGroup:
    """The G completions of one problem, judged."""

    problem: Problem
    prompt: Prompt
    draw_probability: float
    tier: str
    completions: tuple[Completion, ...]
    """G of them."""
    verdicts: tuple[Verdict, ...]
    """[G]"""
    rewards: NDArray[np.float64]
    """[G] float64; NaN where our own verifier failed and there is no reward."""
    passed: NDArray[np.bool_]
    """[G] bool; False where there is no reward."""

    @property
    def graded(self) -> np.ndarray:
        """[G] bool: completions that have a reward."""
        return ~np.isnan(self.rewards)

    @property
    def num_tokens(self) -> int:
        """Generated tokens of the whole group, inserted ones included."""
        return sum(len(completion.token_ids) for completion in self.completions)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrainingSample:
    """One completion as the learner reads it: prompt and completion in one row."""

    token_ids: np.ndarray
    """[P + T] int64"""
    num_prompt_tokens: int
    """P"""
    old_logprobs: np.ndarray
    """[T] float32, log-probabilities under the policy that sampled the tokens."""
    loss_mask: np.ndarray
    """[T] bool"""
    advantage: float
    proximal_logprobs: np.ndarray | None = None
    """[T] float32, the learner's own log-probabilities before the step's first update; None where
    that update computes them on its way."""
    images: tuple[Image | Video, ...] = ()
    """The prompt's pictures and videos."""

    @property
    def num_loss_tokens(self) -> int:
        """Tokens of this sample that carry a loss."""
        return int(self.loss_mask.sum())


@dataclass(frozen=True, kw_only=True, slots=True)
class StepReport:
    """What one optimiser step did, summed or averaged over all ranks."""

    loss: float
    grad_norm: float
    """Global L2 norm before clipping. Where it is not finite, no weight was changed."""
    learning_rate: float
    num_samples: int
    num_loss_tokens: int
    num_padded_tokens: int
    """Tokens the model was run on, padding included: the price of the batch."""
    clip_fraction: float
    """Share of loss tokens whose ratio was clipped, in [0, 1]."""
    mean_abs_log_ratio: float
    """Mean |log pi - log pi_old| over loss tokens: how far off-policy the batch was."""
    entropy: float
    """Mean of -log pi over sampled loss tokens, in nats: an estimate of the policy's entropy."""
    mismatch: float = 0.0
    """Estimated KL divergence, in nats a token, between the policy that sampled the tokens
    and the learner's before the update: other kernels, and older weights."""
    corrected_fraction: float = 0.0
    """Share of loss tokens whose importance weight was truncated or masked, in [0, 1]."""

    @property
    def skipped(self) -> bool:
        """Whether the update was not made, because its gradient is not finite."""
        return not math.isfinite(self.grad_norm)
