"""Multiple choice as a domain of its own; ``rewards.text.choice`` reads the letters."""

from __future__ import annotations

from rewards.errors import BadReferenceError
from rewards.settings import NoSettings
from rewards.text import choice
from rewards.text.references import reference_text
from rewards.verdict import Finding, Request, correct, wrong


class ChoiceVerifier:
    """Judges multiple choice: a letter, several letters, or an option's content."""

    pass_mark = 1.0

    def __init__(self, settings: NoSettings) -> None:
        del settings

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare the chosen letters; content needs the options in the question."""
        value = request.reference
        reference = ", ".join(map(str, value)) if isinstance(value, list) else value
        reference = reference_text(reference)
        listed = choice.options(request.question)
        expected = choice.reference_letters(reference.upper() if len(reference) == 1 else reference)
        if expected is None:
            by_content = [
                k for k, v in listed.items() if choice.folded(v) == choice.folded(reference)
            ]
            if len(by_content) != 1:
                raise BadReferenceError("neither letters nor the content of a listed option")
            expected = frozenset(by_content)
        if listed and not expected <= set(listed):
            raise BadReferenceError(f"{reference!r} is not among the options {sorted(listed)}")
        fits, why = choice.matches(answer[:5_000], expected, listed)
        return correct(why) if fits else wrong(why)
