"""Reading what DeepSpeed has saved without running what somebody else may have put there.

DeepSpeed's files are pickles, and it loads them as such. torch can load them with tensors and plain
values alone; of classes DeepSpeed's own states hold the three that are allowed here.
"""

from __future__ import annotations

import pickle
from typing import Any

import torch

from rlcs.errors import LearningError, first_line


def load_plainly(path: str, map_location: Any = None) -> Any:
    """Load one file of a learner's state; stands in for ``load`` of DeepSpeed's engine.

    Raises:
        LearningError: it is damaged, or holds anything but tensors, plain values and the records
            that DeepSpeed saves; nothing of it was run.
    """
    from deepspeed.runtime.fp16.loss_scaler import LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    try:
        # The only records in what DeepSpeed 0.19 saves with ZeRO stages 0 to 3.
        with torch.serialization.safe_globals([LossScaler, ZeroStageEnum, fragment_address]):
            return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise LearningError(
            f"expected tensors and plain values in {path}, found what would run code when it is "
            f"loaded, or a damaged file ({_reason(error)}); nothing of it was run."
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise LearningError(
            f"expected tensors and plain values in {path}, found a damaged file "
            f"({first_line(error)})."
        ) from error


def _reason(error: pickle.UnpicklingError) -> str:
    """What torch objects to, out of a page of advice to load the file all the same."""
    lines = [line.strip() for line in str(error).splitlines()]
    named = [line for line in lines if "GLOBAL" in line or "Unsupported" in line]
    return (named or [first_line(error)])[0][:200]
