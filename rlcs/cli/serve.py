"""``rlcs serve``: vLLM's OpenAI-compatible server on a run's model."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rlcs.cli.arguments import Verbs, add_trust, add_verb

DEPRECATED = (
    "`vllm.entrypoints.openai.api_server` is deprecated",
    "The `python -m vllm.entrypoints.openai.api_server` command is deprecated",
    "`torch.distributed.reduce_op` is deprecated",
)
"""How warnings begin: of the one way to start the server of vLLM's CPU build, and vLLM's own."""

CPU_CACHE_GIB = 1
"""Size of the key-value cache without a GPU; vLLM by itself would take most of the memory."""


PROBED_TOKENS = 2**20
"""More than the prompt has by which the chat template is tried."""


def add_parser(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Declare the verb and its arguments."""
    parser = add_verb(
        verbs,
        "serve",
        run,
        "answer by vLLM's OpenAI-compatible server with a run's best (or last) model",
        [
            "rlcs serve runs/quickstart",
            "rlcs serve my-model --port 9000 --option max-model-len=4096",
            "curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' "
            '-d \'{"model": "quickstart", "messages": [{"role": "user", "content": "1 + 2?"}]}\'',
        ],
    )
    parser.add_argument("model", metavar="RUN", help="a run folder, a checkpoint or a model folder")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="an option of vLLM's server, without its dashes; may be given several times",
    )
    add_trust(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the server ends; returns its exit status."""
    return serve(
        Path(arguments.model),
        host=arguments.host,
        port=arguments.port,
        options=arguments.option,
        trust_code=arguments.trust_code,
    )


def serve(
    path: Path, *, host: str, port: int, options: Sequence[str], trust_code: bool = False
) -> int:
    """Become vLLM's server; returns only if there is an error.

    The model goes by the name of its run (or folder). Its own chat template and end tokens lie
    in the folder, where vLLM finds them.

    Raises:
        RunFolderError: there is no model at ``path``.
        ModelError: its chat template takes too long, or writes without end.
        UntrustedCodeError: only code of its own could load the model.
        PackageMissingError: vLLM is not installed.
        EngineError: there is no temporary folder for its sockets.
    """
    from rlcs.cluster.machine import VLLM_SOCKET, socket_folder
    from rlcs.data import Renderer
    from rlcs.rollout.actors import check_engine_package
    from rlcs.run.checkpoint import find_model

    check_engine_package("vllm")
    model = find_model(path)
    # vLLM renders the template in its own process, in a sandbox, but for as long as it takes.
    Renderer.load(str(model), PROBED_TOKENS, trust_code=trust_code).probe_template()
    command = serve_command(model, name=path.resolve().name, host=host, port=port)
    command += ["--trust-remote-code"] if trust_code else []
    command += [f"--{option}" for option in options]
    os.environ.setdefault("VLLM_RPC_BASE_PATH", str(socket_folder(VLLM_SOCKET)))
    print(
        f"starting vLLM with {path}, which takes a while; what follows is its own. Its line "
        f"'Application startup complete' says that it answers at http://{host}:{port}/v1"
    )
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *command])


def serve_command(model: Path, *, name: str, host: str, port: int) -> list[str]:
    """The arguments with which Python runs vLLM's server."""
    import torch

    # Not `vllm serve`, which asks for a package of that name: the CPU build has another.
    command = [part for warning in DEPRECATED for part in ("-W", f"ignore:{warning}")]
    command += ["-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    command += [
        "--no-use-tqdm-on-load",
        "--served-model-name",
        name,
        "--host",
        host,
        "--port",
        str(port),
    ]
    if not torch.cuda.is_available():
        command += ["--enforce-eager", "--kv-cache-memory-bytes", str(CPU_CACHE_GIB * 2**30)]
    return command
