"""Free text, exactly or by a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from rewards.settings import Setting, Settings
from rewards.text.references import reference_texts
from rewards.text.words import folded, similarity, token_f1
from rewards.verdict import Finding, Request, graded


@dataclass(frozen=True, kw_only=True)
class TextSettings(Settings):
    """How free text is judged."""

    metric: Annotated[
        Literal["exact", "verbatim", "f1", "anls"],
        Setting(
            description="How two texts are compared: 'exact' after folding case, spacing and "
            "punctuation, 'verbatim' character by character, 'f1' by their tokens, 'anls' by "
            "normalised edit distance (Biten et al. 2019)."
        ),
    ] = "exact"
    pass_mark: Annotated[
        float,
        Setting(
            description="The score from which an answer passes under the metrics f1 and anls.",
            gt=0,
            le=1,
        ),
    ] = 0.5


class TextVerifier:
    """Judges free text against one reference, or the best of several."""

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
