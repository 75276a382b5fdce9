"""``rlcs serve``: vLLM's OpenAI-compatible server on a run's model."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rlcs.rollout.actors import check_engine_package
from rlcs.training.checkpoint import find_model

CPU_CACHE_GIB = 1
"""Key-value cache where there is no GPU; vLLM itself would take most of the memory."""


def serve(path: Path, *, host: str, port: int, options: Sequence[str]) -> int:
    """Become vLLM's server; returns only if there is an error.

    The model goes by the name of its run (or folder). Its own chat template and end tokens lie
    in the folder, where vLLM finds them.

    Raises:
        RunFolderError: there is no model at ``path``.
        PackageMissingError: vLLM is not installed.
    """
    check_engine_package("vllm")
    command = serve_command(find_model(path), name=path.resolve().name, host=host, port=port)
    command += [f"--{option}" for option in options]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *command])


def serve_command(model: Path, *, name: str, host: str, port: int) -> list[str]:
    """What Python is called with."""
    import torch

    # Not `vllm serve`, which asks for a package of that name: the CPU build has another.
    command = ["-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += ["--served-model-name", name, "--host", host, "--port", str(port)]
    if not torch.cuda.is_available():
        command += ["--enforce-eager", "--kv-cache-memory-bytes", str(CPU_CACHE_GIB * 2**30)]
    return command
