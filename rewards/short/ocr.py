"""Transcriptions of text in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rewards.settings import Setting, Settings
from rewards.text.references import reference_text
from rewards.text.words import similarity
from rewards.verdict import Finding, Request, graded


@dataclass(frozen=True, kw_only=True)
class OcrSettings(Settings):
    """How transcriptions are judged."""

    pass_mark: Annotated[
        float,
        Setting(
            description="The similarity from which a transcription counts as passed.", gt=0, le=1
        ),
    ] = 0.9


class OcrVerifier:
    """Scores 1 - edit distance / longer length, on exact characters (GLM-4.1V)."""

    def __init__(self, settings: OcrSettings) -> None:
        self.pass_mark = settings.pass_mark

    def judge(self, answer: str, request: Request) -> Finding:
        """Score a transcription; line ends are normalised, nothing else."""
        expected = reference_text(request.reference).replace("\r\n", "\n")
        found = answer.strip().replace("\r\n", "\n")
        score = similarity(expected, found)
        return graded(score, f"similarity {score:.4f}")
