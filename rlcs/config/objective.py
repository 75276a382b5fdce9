"""What the learner minimises: the parts of the policy objective, and published sets of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from rlcs.config.section import Section

PresetName = Literal[
    "rlcs", "grpo", "dapo", "dr_grpo", "gspo", "cispo", "rloo", "reinforce_pp"
]  # fmt: skip
PRESETS: dict[str, dict[str, Any]] = {
    "rlcs": {},
    "grpo": {"clip_high": 0.2, "kl": {"coefficient": 0.04}},
    "dapo": {"loss": "per_token", "overlong": "soft"},
    "dr_grpo": {"loss": "constant", "clip_high": 0.2, "normalise_advantages": False},
    "gspo": {"ratio": "sequence", "clip_low": 3e-4, "clip_high": 4e-4},
    "cispo": {"bound": "cispo", "loss": "per_token", "clip_low": 1.0, "clip_high": 4.0},
    "rloo": {
        "baseline": "leave_one_out",
        "loss": "constant",
        "clip_high": 0.2,
        "normalise_advantages": False,
        "kl": {"coefficient": 0.05, "kind": "k1"},
    },
    "reinforce_pp": {
        "loss": "per_token",
        "clip_high": 0.2,
        "normalise_advantages": "batch",
        "kl": {"coefficient": 0.001, "kind": "k2"},
    },
}
"""Names of published objectives and where they differ from the defaults.

Sources: GRPO arXiv 2402.03300; DAPO 2503.14476; Dr. GRPO 2503.20783; GSPO 2507.18071; CISPO
2506.13585, which gives no number for its upper bound: 4 is ours; RLOO 2402.14740, with TRL's
coefficient; REINFORCE++ with a baseline 2501.03262, with a coefficient of ours. What they say of
sampling (dynamic sampling, group sizes) is not part of them: choosing is the curriculum's.
"""


class CorrectionSection(Section):
    """Importance weights between the policy that sampled a token and the learner's."""

    level: Literal["token", "sequence", "sequence_mean"] = "token"
    """A weight for each token, or one for a whole completion: the product over its tokens, or
    their geometric mean."""
    mode: Literal["truncate", "mask"] = "truncate"
    """Cap weights at ``high``, or leave out what lies outside of ``low`` to ``high``."""
    low: float = Field(default=0.5, gt=0, lt=1)
    high: float = Field(default=2.0, gt=1)


class KlSection(Section):
    """A price for leaving the model that the run started from."""

    coefficient: float = Field(gt=0)
    kind: Literal["k1", "k2", "k3"] = "k3"
    """How the divergence is estimated (Schulman, "Approximating KL divergence"): ``k2`` and ``k3``
    are added to the loss, ``k1``, whose gradient in a loss is none on average, is taken off the
    advantages."""


class ObjectiveSection(Section):
    """The policy objective; the defaults are GRPO as published for RLCS."""

    preset: PresetName | None = None
    """A published objective by name; keys that are given beside it go first."""
    ratio: Literal["token", "sequence"] = "token"
    """Compare policies token by token, or by the geometric mean over a completion (GSPO)."""
    bound: Literal["clip", "dual_clip", "cispo"] = "clip"
    """What limits an update: PPO's clip; that, and a floor for bad tokens that became likely; or
    a weight that is cut off while the gradient stays."""
    clip_low: float = Field(default=0.2, gt=0, le=1)
    clip_high: float = Field(default=0.28, gt=0)
    dual_clip: float = Field(default=3.0, gt=1)
    """With ``bound: dual_clip``, the ratio from which on a bad token's loss no longer grows."""
    loss: Literal["per_sample", "per_token", "constant"] = "per_sample"
    """Mean within each completion, then over completions; one mean over all tokens; or the sum
    over all tokens by completions times the longest that one may be."""
    baseline: Literal["mean", "leave_one_out"] = "mean"
    """What a reward is compared with: the mean of its group, or of the others in it."""
    normalise_advantages: bool | Literal["batch"] = True
    """Divide advantages by the standard deviation of their group's rewards, or by that of all
    advantages of the batch."""
    kl: KlSection | None = None
    """Left out, as published for RLCS."""
    entropy_bonus: float = Field(default=0.0, ge=0)
    """Added to the objective for each nat of entropy of a token's distribution."""
    overlong: Literal["keep", "mask", "soft"] = "keep"
    """Completions that ran out of tokens count like others, or are not learned from; ``soft``
    takes up to 1 off the reward as a completion nears the longest that it may be."""
    overlong_share: float = Field(default=0.2, gt=0, le=1)
    """With ``overlong: soft``, the last part of the budget in which the price rises from 0 to 1."""
    correction: CorrectionSection | None = None
    """For engines that compute differently from the learner, and for the overlapped schedule. With
    vLLM it is on unless it is null; elsewhere, left out, the clip alone bounds the step from the
    sampling policy."""

    @model_validator(mode="before")
    @classmethod
    def fill_preset(cls, value: Any) -> Any:
        """A preset's keys, where none are given."""
        if not isinstance(value, dict):
            return value
        return {**PRESETS.get(str(value.get("preset")), {}), **value}
