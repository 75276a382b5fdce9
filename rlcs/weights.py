"""Model weights as plain arrays, the form in which they cross from the learner to engines.

numpy arrays travel through Ray without a copy on the same node. numpy has no bfloat16, so
such tensors are carried bit for bit as uint16 and read back by the receiver's own type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
import torch

from rlcs.errors import EngineError

Weights: TypeAlias = dict[str, np.ndarray]
"""Parameter name to array; bfloat16 is carried as uint16."""


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """A copy of ``tensor`` on the host, in the form of :data:`Weights`."""
    host = tensor.detach().to("cpu", copy=True).contiguous()
    if host.dtype == torch.bfloat16:
        host = host.view(torch.uint16)
    return host.numpy()


def load_arrays(
    parameters: Iterable[tuple[str, torch.Tensor]], weights: Mapping[str, np.ndarray]
) -> None:
    """Copy ``weights`` into ``parameters``, after checking that every name and shape fits.

    Raises:
        EngineError: a name is missing or too many, or a shape differs; nothing was copied.
    """
    targets = dict(parameters)
    missing, foreign = sorted(targets.keys() - weights), sorted(weights.keys() - targets)
    if missing or foreign:
        raise EngineError(
            f"expected weights for the engine's {len(targets)} parameters; "
            f"missing {missing[:3]}, unknown {foreign[:3]}. "
            "Learner and engine must load the same model folder."
        )
    for name, target in targets.items():
        if tuple(target.shape) != weights[name].shape:
            raise EngineError(
                f"parameter {name}: the engine expects shape {tuple(target.shape)}, "
                f"the learner sent {weights[name].shape}."
            )
    with torch.no_grad():
        for name, target in targets.items():
            source = torch.from_numpy(np.require(weights[name], requirements="W"))
            if source.dtype == torch.uint16:
                source = source.view(torch.bfloat16)
            target.copy_(source)
