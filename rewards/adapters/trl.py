"""A reward function for TRL's trainers: ``GRPOTrainer(reward_funcs=TrlReward("math"))``.

TRL calls ``reward(prompts, completions, **columns)`` with lists and takes None as "no reward".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rewards.pool.pool import VerifierPool
from rewards.shaping import Shaping
from rewards.verdict import Request


class TrlReward:
    """Judges completions against a column of the data set.

    domain: used where the data set has no ``domain`` column. reference_column: where the
    reference is; a ``question`` column is passed on when there is one.
    """

    def __init__(
        self,
        domain: str = "math",
        *,
        reference_column: str = "reference",
        pool: VerifierPool | None = None,
        shaping: Shaping | None = None,
    ) -> None:
        self.__name__ = f"{domain}_reward"  # TRL names its metrics after it
        self._domain = domain
        self._reference_column = reference_column
        self._pool = pool or VerifierPool()
        self._shaping = shaping or Shaping()

    def __call__(
        self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        """One reward a completion; None where we failed to judge."""
        if self._reference_column not in columns:
            raise ValueError(
                f"expected a column {self._reference_column!r}, found {sorted(columns)}"
            )
        references = columns[self._reference_column]
        count = len(completions)
        domains = columns.get("domain") or [self._domain] * count
        questions = columns.get("question") or [None] * count
        texts = [completion_text(completion) for completion in completions]
        requests = [
            Request(domain=domain, response=text, reference=reference, question=question)
            for domain, text, reference, question in zip(
                domains, texts, references, questions, strict=True
            )
        ]
        verdicts = self._pool.judge(requests)
        return [
            self._shaping.reward(verdict, text)
            for verdict, text in zip(verdicts, texts, strict=True)
        ]


def completion_text(completion: Any) -> str:
    """Return the text of a completion, which is text or a list of chat messages."""
    if isinstance(completion, str):
        return completion
    last = completion[-1]
    content = last["content"] if isinstance(last, Mapping) else last
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
