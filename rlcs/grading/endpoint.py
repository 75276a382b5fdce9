"""Answers of a model behind an OpenAI-compatible endpoint, requested patiently.

A request that fails for the moment (no connection, overload, a time-out, a broken reply) is
repeated with growing pauses until its deadline; then grading stops, because an endpoint that is
down must not look like hard problems. A request that the endpoint refuses for what it is
(too long, filtered) is our failure at this problem and is counted as such. A key that is not
accepted or a model that is not there ends the grading at once.

Left out: streaming, ``n`` answers in one request (few servers have it) and seeds (few honour
them): the answers of an endpoint cannot be had twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from rewards.shown import shown_line
from rlcs.config import EndpointSection, RolloutSection
from rlcs.errors import EngineError
from rlcs.grading.responders import Answer
from rlcs.grading.turns import turns_of
from rlcs.types import Problem

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
RETRIED = frozenset([408, 409, 425, 429, 500, 502, 503, 504])
"""Statuses after which a request is sent again, because they may not last."""
HOPELESS = {
    401: "the key is not accepted",
    403: "the key may not use it",
    404: "there is no such model or address",
}
MAX_SHOWN = 300


class EndpointResponder:
    """Sends the requests of a chunk concurrently, at most ``max_concurrent`` at a time."""

    def __init__(self, section: EndpointSection, rollout: RolloutSection, attempts: int) -> None:
        import openai

        self._section = section
        self._attempts = attempts
        self._parameters = {
            name: value
            for name, value in {
                "temperature": rollout.temperature,
                "max_tokens": rollout.max_completion_tokens,
                **section.parameters,
            }.items()
            if value is not None
        }
        self._runner = asyncio.Runner()
        self._slots = asyncio.Semaphore(section.max_concurrent)
        self._client = openai.AsyncOpenAI(
            base_url=section.base_url, api_key=section.key, max_retries=0
        )

    def respond(self, problems: Sequence[Problem]) -> list[list[Answer]]:
        """Answer each problem ``grade.attempts`` times; a list of answers a problem, in order.

        Raises:
            DatasetError: a problem has a video.
            EngineError: the endpoint did not answer within the deadline, does not know the key or
                the model, or refused every single request.
        """
        answers = self._runner.run(self._request_all(problems))
        refused = [answer.detail for group in answers for answer in group if answer.text is None]
        if refused and len(refused) == len(problems) * self._attempts:
            raise EngineError(
                f"the endpoint {self._section.base_url} refused all {len(refused)} requests: "
                f"{refused[0]}. Change what it refuses; fields of the request are set by "
                "endpoint.parameters, and null leaves one out."
            )
        return answers

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.close())
        self._runner.close()

    async def _request_all(self, problems: Sequence[Problem]) -> list[list[Answer]]:
        try:
            async with asyncio.TaskGroup() as group:  # the first failure ends the others
                tasks = [
                    [
                        group.create_task(self._request_patiently(turns))
                        for _ in range(self._attempts)
                    ]
                    for turns in map(turns_of, problems)
                ]
        except* EngineError as failed:
            raise failed.exceptions[0] from None
        return [[task.result() for task in group] for group in tasks]

    async def _request_patiently(self, turns: Sequence[dict[str, Any]]) -> Answer:
        import openai

        async with self._slots:
            ends = time.monotonic() + self._section.deadline_seconds
            pause = FIRST_PAUSE_SECONDS
            while True:
                pause_wanted = 0.0
                try:
                    reply = await self._complete(turns, ends - time.monotonic())
                    if (answer := _answer_of(reply)) is not None:
                        return answer
                    why = "a reply without an answer in it"
                except openai.APIStatusError as error:
                    why = _status(error)
                    if error.status_code in HOPELESS:
                        raise self._hopeless(error.status_code) from None
                    if error.status_code not in RETRIED:
                        return Answer(
                            text=None, finish_reason="refused", num_tokens=None, detail=why
                        )
                    pause_wanted = _retry_after(error)
                except (openai.APIError, ValueError) as error:  # ValueError: not JSON
                    why = f"{type(error).__name__}: {_shown(str(error))}"
                pause_now = max(pause, pause_wanted)
                if time.monotonic() + pause_now >= ends:
                    raise self._silent(why)
                await asyncio.sleep(pause_now)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _complete(self, turns: Any, seconds_left: float) -> Any:
        return await self._client.chat.completions.create(
            model=self._section.model,
            messages=turns,
            extra_body=self._parameters,
            timeout=min(seconds_left, self._section.timeout_seconds),
        )

    def _hopeless(self, status: int) -> EngineError:
        return EngineError(
            f"the endpoint {self._section.base_url} says {status}: {HOPELESS[status]} "
            f"(model {self._section.model!r}, key from the environment variable "
            f"{self._section.key_variable}, which is "
            f"{'empty' if self._section.key == 'none' else 'set'}). Correct what is wrong."
        )

    def _silent(self, why: str) -> EngineError:
        return EngineError(
            f"the endpoint {self._section.base_url} gave no answer within deadline_seconds = "
            f"{self._section.deadline_seconds:g}; last: {why}. Is it running? A slow one needs a "
            "higher endpoint.timeout_seconds or a lower endpoint.max_concurrent."
        )


def _answer_of(reply: Any) -> Answer | None:
    """The answer in ``reply``; None when the reply does not have the form of one."""
    choices: Any = getattr(reply, "choices", None)
    message = getattr(choices[0], "message", None) if choices else None
    if message is None:
        return None
    usage = getattr(reply, "usage", None)
    # A model that says nothing (or only thinks) has answered nothing: that is its own doing.
    return Answer(
        text=message.content if isinstance(message.content, str) else "",
        finish_reason=str(choices[0].finish_reason),
        num_tokens=getattr(usage, "completion_tokens", None),
    )


def _status(error: Any) -> str:
    return f"status {error.status_code}: {_shown(error.message)}"


def _retry_after(error: Any) -> float:
    """Seconds that the endpoint asks to wait, 0 where it does not say."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return 0.0


def _shown(text: str) -> str:
    """A stranger's text in one line of ours."""
    line = shown_line(text)
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 3] + "..."
