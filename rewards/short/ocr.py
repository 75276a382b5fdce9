"""Transcriptions of text in a picture."""

from __future__ import annotations

from dataclasses import dataclass

from rewards.errors import SettingsError
from rewards.text.references import reference_text
from rewards.text.words import similarity
from rewards.verdict import Finding, Request, graded


def check_mark(mark: float) -> None:
    if not 0 < mark <= 1:
        raise SettingsError(f"pass_mark: expected 0 to 1, found {mark}")


@dataclass(frozen=True, kw_only=True)
class OcrSettings:
    """pass_mark: the similarity from which a transcription counts as passed."""

    pass_mark: float = 0.9

    def __post_init__(self) -> None:
        check_mark(self.pass_mark)


class OcrVerifier:
    """1 - edit distance / longer length, on exact characters (GLM-4.1V)."""

    def __init__(self, settings: OcrSettings) -> None:
        self.pass_mark = settings.pass_mark

    def judge(self, answer: str, request: Request) -> Finding:
        """Score a transcription; line ends are normalised, nothing else."""
        expected = reference_text(request.reference).replace("\r\n", "\n")
        found = answer.strip().replace("\r\n", "\n")
        score = similarity(expected, found)
        return graded(score, f"similarity {score:.4f}")
