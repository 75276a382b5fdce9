"""Model weights as plain arrays in buckets, the form in which they cross from learner to engines.

A bucket is some parameters of bounded size together: the learner gathers and sends one after
the other, so that no process need hold the whole model for it. numpy arrays travel through
Ray without a copy on the same node. numpy has no bfloat16, so such tensors are carried bit
for bit as uint16 and read back by the receiver's own type.

With the weights comes a :class:`Probe`: a text and what the learner says of it, now and before.
An engine serves a version once it says what the learner says now.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

from rlcs.errors import EngineError
from rlcs.types import Prompt

Weights: TypeAlias = dict[str, np.ndarray]
"""Parameter name to array; bfloat16 is carried as uint16."""

TOLERANCE = {"float32": 5e-4, "bfloat16": 0.08}
"""Model type to how far the mean log-probability of a probe's tokens may differ, in nats.

Both sides compute the same function in another order: in float32 on a CPU they differ by 1e-6,
as measured. The tolerance for bfloat16 is an estimate.
"""

NOISE = {"float32": 2e-5, "bfloat16": 0.02}
"""Model type to the difference up to which two versions cannot be told apart, in nats a token."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Probe:
    """A text and the learner's log-probabilities of it."""

    prompt: Prompt
    """Of L tokens."""
    logprobs: np.ndarray
    """[L - 1] float32, of each token after the first, at temperature 1."""
    dtype: str
    """The model's type, ``float32`` or ``bfloat16``."""
    previous: np.ndarray | None = None
    """[L - 1] float32, the same by the version before; None where that is not known."""

    def check(self, logprobs: np.ndarray) -> None:
        """Compare with an engine's ``logprobs`` [L - 1].

        Small steps change them by less than the tolerance: then they must be nearer to what the
        learner says now than to what it said before, where these two can be told apart.

        Raises:
            EngineError: they are not the learner's.
        """
        difference, tolerance = _mean_difference(logprobs, self.logprobs), TOLERANCE[self.dtype]
        if not difference <= tolerance:
            raise EngineError(
                f"{_NOT_SERVED} differ from the learner's by {difference:.3g} nats a token, "
                f"expected at most {tolerance:g}. {_WHY_NOT_SERVED}"
            )
        if (
            self.previous is None
            or _mean_difference(self.logprobs, self.previous) <= 2 * NOISE[self.dtype]
        ):
            return
        before = _mean_difference(logprobs, self.previous)
        if before < difference:
            raise EngineError(
                f"{_NOT_SERVED} are nearer to those of the version before ({before:.3g} nats a "
                f"token) than to the learner's ({difference:.3g}). {_WHY_NOT_SERVED}"
            )


_NOT_SERVED = (
    "the engine does not serve the weights that were published: its log-probabilities of a probe "
    "text"
)
_WHY_NOT_SERVED = (
    "Some layer kept old values (tied embeddings are a known case), or engine and learner compute "
    "this model differently. Report the model's architecture, and use "
    "rollout.engine=transformers until it is mended."
)


def _mean_difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """One version of the weights on its way, as Ray references to what may still be computed."""

    buckets: tuple[Any, ...] = ()
    """References to :data:`Weights`, in the order in which they are made; none where every engine
    got the weights from GPU to GPU."""
    probe: Any | None = None
    """Reference to a :class:`Probe`."""


def to_array(tensor: torch.Tensor, *, copy: bool = True) -> np.ndarray:
    """``tensor`` on the host, in the form of :data:`Weights`.

    Without ``copy`` the array shares the tensor's memory where it can.
    """
    host = tensor.detach().to("cpu", copy=copy).contiguous()
    if host.dtype == torch.bfloat16:
        host = host.view(torch.uint16)
    return host.numpy()


def to_tensor(array: np.ndarray) -> torch.Tensor:
    """An array of :data:`Weights` as a tensor that shares its memory and must not be written to."""
    with warnings.catch_warnings():
        # torch warns of arrays that are read-only, as those are that Ray shares; we only read.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if tensor.dtype == torch.uint16 else tensor


def plan_buckets(sizes: Mapping[str, int], max_bytes: int) -> list[list[str]]:
    """Parameter names in buckets of at most ``max_bytes``; a larger one has its own bucket."""
    buckets: list[list[str]] = []
    room = 0
    for name, size in sizes.items():
        if not buckets or size > room:
            buckets.append([])
            room = max_bytes
        buckets[-1].append(name)
        room -= size
    return buckets


def load_arrays(parameters: Mapping[str, torch.Tensor], buckets: Iterable[Weights]) -> None:
    """Copy all ``buckets`` into ``parameters``, checking that every name and shape fits.

    Raises:
        EngineError: a name is missing or too many, or a shape differs; buckets before the one
            in question have been copied.
    """
    missing = set(parameters)
    for bucket in buckets:
        _check_fit(parameters, bucket)
        missing -= bucket.keys()
        with torch.no_grad():
            for name, array in bucket.items():
                parameters[name].copy_(to_tensor(array))
    check_complete(missing, len(parameters))


def check_complete(missing: Iterable[str], num_expected: int) -> None:
    """Check that all parameters came.

    Raises:
        EngineError: some did not; the message names a few of them.
    """
    if names := sorted(missing):
        raise EngineError(
            f"expected weights for the engine's {num_expected} parameters; {len(names)} did not "
            f"come, among them {names[:3]}. Learner and engine must load the same model folder."
        )


def _check_fit(targets: Mapping[str, torch.Tensor], bucket: Weights) -> None:
    foreign = sorted(bucket.keys() - targets.keys())
    if foreign:
        raise EngineError(
            f"expected weights for the engine's {len(targets)} parameters, got unknown ones: "
            f"{foreign[:3]}. Learner and engine must load the same model folder."
        )
    for name, array in bucket.items():
        if tuple(targets[name].shape) != array.shape:
            raise EngineError(
                f"parameter {name}: the engine expects shape {tuple(targets[name].shape)}, "
                f"the learner sent {array.shape}."
            )
