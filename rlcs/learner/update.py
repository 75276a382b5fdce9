"""One optimiser step in the making: what is counted over its micro-batches, and its report."""

from __future__ import annotations

import torch

from rlcs.learner.losses import Objective
from rlcs.types import StepReport

NUM_TOTALS = 8


class Update:
    """An update that was begun."""

    def __init__(self, objective: Objective, learning_rate: float, device: torch.device) -> None:
        self.objective = objective
        self.learning_rate = learning_rate
        self.totals = torch.zeros(NUM_TOTALS, dtype=torch.float64, device=device)
        """Sums over this rank's micro-batches: the loss, the tokens that carry one, all tokens, and
        over those that carry one: clipped, absolute log-ratio, entropy, mismatch, corrected."""

    def report(self, totals: torch.Tensor, grad_norm: float) -> StepReport:
        """The report of the step, from the ``totals`` of all ranks."""
        num_tokens = max(1.0, float(totals[1]))
        return StepReport(
            loss=float(totals[0]),
            grad_norm=grad_norm,
            learning_rate=self.learning_rate,
            num_samples=0,
            num_loss_tokens=int(totals[1]),
            num_padded_tokens=int(totals[2]),
            clip_fraction=float(totals[3]) / num_tokens,
            mean_abs_log_ratio=float(totals[4]) / num_tokens,
            entropy=float(totals[5]) / num_tokens,
            mismatch=float(totals[6]) / num_tokens,
            corrected_fraction=float(totals[7]) / num_tokens,
        )
