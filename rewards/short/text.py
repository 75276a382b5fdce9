"""Free text, exactly or by a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rewards.errors import SettingsError
from rewards.short.ocr import check_mark
from rewards.text.references import reference_texts
from rewards.text.words import folded, similarity, token_f1
from rewards.verdict import Finding, Request, graded


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """metric: "exact" (folded), "verbatim", "f1" (tokens), or "anls" (Biten et al. 2019).

    pass_mark: the score from which f1 and anls count as passed.
    """

    metric: Literal["exact", "verbatim", "f1", "anls"] = "exact"
    pass_mark: float = 0.5

    def __post_init__(self) -> None:
        if self.metric not in _METRICS:
            raise SettingsError(f"metric: expected one of {list(_METRICS)}, found {self.metric!r}")
        check_mark(self.pass_mark)


class TextVerifier:
    """Free text against one reference, or the best of several."""

    def __init__(self, settings: TextSettings) -> None:
        self._metric = _METRICS[settings.metric]
        exact = settings.metric in ("exact", "verbatim")
        self.pass_mark = 1.0 if exact else settings.pass_mark

    def judge(self, answer: str, request: Request) -> Finding:
        """Score by the configured metric."""
        expected = reference_texts(request.reference)
        score = max(self._metric(text, answer.strip()) for text in expected)
        return graded(score, f"score {score:.4f}", undecided=True)


def _anls(reference: str, answer: str) -> float:
    """Normalised similarity, 0 below one half."""
    score = similarity(" ".join(reference.lower().split()), " ".join(answer.lower().split()))
    return score if score >= 0.5 else 0.0


_METRICS: dict[str, Callable[[str, str], float]] = {
    "exact": lambda reference, answer: float(folded(reference) == folded(answer)),
    "verbatim": lambda reference, answer: float(reference == answer),
    "f1": token_f1,
    "anls": _anls,
}
