"""Completions in the making, inside vLLM: requests in, finished work items out.

Every completion is a request of its own, so that vLLM batches them as room comes free and reads
the prompt of a group once (prefix caching). A completion whose thinking runs over its budget
ends there, gets the forced text and goes on as a new request, whose prompt is in the cache
already; nobody waits for the others to come so far.

New work is taken in while earlier work is sampled. Its requests enter vLLM between two of its
steps, at a moment that depends on the work alone and never on the clock: the same work in the
same order makes the same batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import vllm

from rewards.extraction import THINK_CLOSE
from rlcs.errors import EngineError
from rlcs.model.loading import decode_image, decode_video
from rlcs.model.vision import video_metadata
from rlcs.rollout.engine import GroupRequest, Progress, Sampling
from rlcs.seeds import derive_seed
from rlcs.types import Completion, FinishReason, Image, Prompt


@dataclass(kw_only=True, eq=False)
class Job:
    """A work item in the making: how its completions are sampled, and under which version."""

    key: int
    sampling: Sampling
    force_ids: list[int]
    version: int
    groups: list[list[Row]] = field(default_factory=list)
    num_open: int = 0
    """Completions that have not ended."""


@dataclass(kw_only=True, eq=False)
class Row:
    """One completion in the making."""

    job: Job
    prompt: Prompt
    pictures: dict[str, list[Any]]
    """The prompt's pictures and videos as vLLM takes them; the same for its whole group."""
    seed: int
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    num_forced: int = 0
    """Inserted tokens, which stand right behind the thinking budget."""
    stopped: bool = False

    @property
    def num_sampled(self) -> int:
        """Tokens so far, without inserted ones."""
        return len(self.token_ids) - self.num_forced


class RowSampler:
    """The work items that a vLLM is sampling."""

    def __init__(self, llm: Any, *, eos_token_ids: Sequence[int]) -> None:
        self.adapter: Any = None
        """The LoRA request of the version served; None where the model is served as it is."""
        self._engine = llm.llm_engine
        self._tokenizer = llm.get_tokenizer()
        self._eos_token_ids = list(eos_token_ids)
        self._rows: dict[str, Row] = {}
        """Those that vLLM samples, by the name of their request."""
        self._ended: dict[int, list[tuple[Completion, ...]]] = {}
        """What :meth:`advance` will return."""
        self._num_requests = 0

    def add(
        self, key: int, requests: Sequence[GroupRequest], sampling: Sampling, version: int
    ) -> None:
        """Take in a work item, to be sampled under ``version``, which is served now."""
        force_ids = self._force_ids(sampling)
        job = Job(key=key, sampling=sampling, force_ids=force_ids, version=version)
        job.groups = [_rows(job, request) for request in requests]
        rows = [row for group in job.groups for row in group]
        job.num_open = len(rows)
        if not rows:
            self._end(job)
        try:
            for row in rows:
                self._submit(row)
        except BaseException:
            self.drop()
            raise

    def advance(self, num_left: int) -> Progress:
        """Sample until a work item has ended and at most ``num_left`` completions have not."""
        try:
            while self._rows and (len(self._rows) > num_left or not self._ended):
                for output in self._engine.step():
                    row = self._rows.pop(output.request_id)
                    self._take(row, output.outputs[0])
        except BaseException:
            self.drop()
            raise
        answers, self._ended = self._ended, {}
        return Progress(answers=answers, num_open=len(self._rows))

    def drop(self) -> None:
        """Give up all work."""
        self._engine.abort_request(list(self._rows))
        self._rows, self._ended = {}, {}

    def _submit(self, row: Row) -> None:
        """Submit the request for the next tokens of ``row``."""
        sampling, num_sampled = row.job.sampling, row.num_sampled
        until = sampling.max_sampled_tokens
        if sampling.force_answer is not None and not num_sampled:
            until = sampling.max_thinking_tokens
        params = vllm.SamplingParams(
            temperature=sampling.temperature,
            seed=derive_seed(row.seed, "continue", num_sampled) if num_sampled else row.seed,
            max_tokens=until - num_sampled,
            logprobs=0,
            flat_logprobs=True,
            detokenize=False,
            ignore_eos=True,  # the model folder's own; ours are the stop tokens
            stop_token_ids=self._eos_token_ids,
            output_kind=vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )
        self._num_requests += 1
        name = str(self._num_requests)
        prompt = vllm_prompt(row.prompt, row.pictures, row.token_ids)
        self._engine.add_request(name, prompt, params, lora_request=self.adapter)
        self._rows[name] = row

    def _take(self, row: Row, output: Any) -> None:
        """Add the tokens of a request to its row, and go on with it or end it."""
        if output.finish_reason not in ("stop", "length"):
            raise EngineError(
                f"vLLM ended a completion of problem {row.prompt.problem_id} with "
                f"{output.finish_reason!r}; expected 'stop' or 'length'."
            )
        job = row.job
        row.token_ids += output.token_ids
        row.logprobs += output.logprobs.logprobs
        row.stopped = output.finish_reason == "stop"
        if not row.stopped and row.num_sampled < job.sampling.max_sampled_tokens:
            self._force_answer(row)
            self._submit(row)
            return
        job.num_open -= 1
        if not job.num_open:
            self._end(job)

    def _force_answer(self, row: Row) -> None:
        """Insert the forced text where the thinking budget is used up and thinking is open."""
        if row.job.sampling.force_answer is None or THINK_CLOSE in self._decode(row.token_ids):
            return
        row.token_ids += row.job.force_ids
        row.logprobs += [0.0] * len(row.job.force_ids)
        row.num_forced = len(row.job.force_ids)

    def _end(self, job: Job) -> None:
        self._ended[job.key] = [
            tuple(self._completion(row) for row in group) for group in job.groups
        ]

    def _completion(self, row: Row) -> Completion:
        mask = np.ones(len(row.token_ids), dtype=bool)
        if row.num_forced:
            start = row.job.sampling.max_thinking_tokens
            mask[start : start + row.num_forced] = False
        return Completion(
            problem_id=row.prompt.problem_id,
            token_ids=np.array(row.token_ids, dtype=np.int64),
            logprobs=np.array(row.logprobs, dtype=np.float32),
            loss_mask=mask,
            text=self._decode(row.token_ids[:-1] if row.stopped else row.token_ids),
            finish_reason=FinishReason.STOP if row.stopped else FinishReason.LENGTH,
            policy_version=row.job.version,
        )

    def _decode(self, token_ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(token_ids, skip_special_tokens=False)
        return text

    def _force_ids(self, sampling: Sampling) -> list[int]:
        if sampling.force_answer is None:
            return []
        ids: list[int] = self._tokenizer.encode(sampling.force_answer, add_special_tokens=False)
        return ids


def _rows(job: Job, request: GroupRequest) -> list[Row]:
    """A row for each completion of a request."""
    prompt, pictures = request.prompt, decoded_pictures(request.prompt)
    return [Row(job=job, prompt=prompt, pictures=pictures, seed=seed) for seed in request.seeds]


def decoded_pictures(prompt: Prompt) -> dict[str, list[Any]]:
    """The pictures and videos of ``prompt`` as vLLM takes them."""
    decoded: dict[str, list[Any]] = {}
    for each in prompt.images:
        if isinstance(each, Image):
            decoded.setdefault("image", []).append(decode_image(each))
        else:
            # Its frames are chosen already.
            told = {**video_metadata(each), "do_sample_frames": False}
            decoded.setdefault("video", []).append((decode_video(each), told))
    return decoded


def vllm_prompt(
    prompt: Prompt, pictures: dict[str, list[Any]], so_far: Sequence[int]
) -> dict[str, Any]:
    """A prompt as vLLM takes it, with the tokens that follow it ``so_far``.

    vLLM itself makes as many tokens of a picture's one as it needs. It is told the pictures'
    digests, and so need not hash them anew for each completion of a group.
    """
    if not pictures:
        return {"prompt_token_ids": [*prompt.token_ids.tolist(), *so_far]}
    assert prompt.template_ids is not None
    digests: dict[str, list[str]] = {}
    for each in prompt.images:
        kind = "image" if isinstance(each, Image) else "video"
        digests.setdefault(kind, []).append(each.digest)
    return {
        "prompt_token_ids": [*prompt.template_ids.tolist(), *so_far],
        "multi_modal_data": pictures,
        "multi_modal_uuids": digests,
    }
