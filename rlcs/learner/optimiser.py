"""AdamW for the learner, with clipping that reports the norm it found."""

from __future__ import annotations

from typing import Any

import torch

from rlcs.learner.rank_settings import RankSettings


class ClippingAdamW(torch.optim.AdamW):
    """AdamW that clips by global norm first and skips an update that is not finite.

    DeepSpeed without ZeRO, in float32, clips but does not tell the norm it found; it does
    read ``_global_grad_norm`` from an optimiser that has it.
    """

    def __init__(self, parameters: Any, *, max_grad_norm: float, **options: Any) -> None:
        super().__init__(parameters, **options)
        self.max_grad_norm = max_grad_norm
        self._global_grad_norm = 0.0

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Clip the gradients, then update the parameters unless the norm is not finite."""
        parameters = [p for group in self.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
        self._global_grad_norm = float(norm)
        return super().step(closure) if torch.isfinite(norm) else None


def clips_itself(settings: RankSettings) -> bool:
    """Whether the optimiser clips the gradients itself, so that DeepSpeed does not."""
    return settings.ranks.zero_stage == 0 and settings.dtype == "float32"


def make_optimiser(model: torch.nn.Module, settings: RankSettings) -> torch.optim.Optimizer:
    """Make the optimiser of the trained parameters, which DeepSpeed is given."""
    options: dict[str, Any] = {
        "lr": settings.optimiser.learning_rate,
        "betas": (settings.optimiser.beta1, settings.optimiser.beta2),
        "weight_decay": settings.optimiser.weight_decay,
    }
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if clips_itself(settings):
        return ClippingAdamW(trained, max_grad_norm=settings.optimiser.max_grad_norm, **options)
    # Fused, the step needs no second copy of the gradients on a GPU, and on a host is one loop.
    fused = settings.device == "cuda" or settings.ranks.offload_optimizer
    return torch.optim.AdamW(trained, fused=fused, **options)
