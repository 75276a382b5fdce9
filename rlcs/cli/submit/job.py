"""``rlcs submit``: a run as a job of a Ray cluster, followed from here.

The current folder is sent along, without runs, checkpoints and environments. What comes out of
the run must not lie in the job's own folder, which the cluster throws away: ``run.folder`` has to
be an absolute path, on storage that all nodes see.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from rlcs.config import RunConfig, load_config
from rlcs.data.file_lists import is_pattern
from rlcs.errors import ConfigError, EngineError, first_line, sentence
from rlcs.run.interruption import INTERRUPTED

UNANSWERED = (OSError, RuntimeError, ValueError, aiohttp.ClientError)
"""What Ray's client raises when a cluster does not answer as it should."""

REQUEST_SECONDS = 60.0
"""Seconds for the cluster to answer one request."""

LOOK_SECONDS = 5.0
"""Seconds between looks at a job that writes nothing."""

STOP_SECONDS = 30.0
"""Seconds for a job to end once it was told to stop."""

EXCLUDED = (
    *(".git/", ".venv/", "venv/", ".cache/", "__pycache__/", ".mypy_cache/", ".ruff_cache/"),
    *(
        ".pytest_cache/",
        ".hypothesis/",
        ".rlcs_cache/",
        "runs/",
        "checkpoints/",
        "*.partial",
        "wandb/",
        "mlruns/",
    ),
)
"""What of the current folder is not sent, as in a .gitignore (which holds besides)."""


def submit(
    config_path: str,
    overrides: Sequence[str],
    *,
    address: str,
    requirements: Path | None,
    variables: Sequence[str],
    follow: bool,
    trust_code: bool = False,
) -> int:
    """Submit ``rlcs train config_path overrides`` and follow it; returns its exit status.

    Raises:
        ConfigError: the configuration cannot be run, here or as a job.
        EngineError: no cluster at ``address``, or it does not let us in, or it stops answering.
    """
    config = load_config(config_path, overrides, kind=RunConfig)
    _check_paths(config_path, config)
    environment = _runtime_environment(config, requirements, variables)
    trusting = ["--trust-code"] if trust_code else []  # asked for where the job runs
    command = shlex.join(["python", "-m", "rlcs.cli", "train", config_path, *overrides, *trusting])
    try:
        client = Client(address)
        job = client.submit_job(entrypoint=command, runtime_env=environment)
        print(f"job {job} at {address}: {command}")
        if not follow:
            print(f"follow it: {_command_to_follow(address, job)}")
            return 0
    except AuthenticationError as error:
        raise EngineError(
            f"the cluster at {address} does not take the token ({first_line(error)}). Put the "
            "cluster's token (on its head node: ~/.ray/auth_token) into RAY_AUTH_TOKEN, or its "
            "file into RAY_AUTH_TOKEN_PATH."
        ) from error
    except UNANSWERED as error:
        raise EngineError(
            f"expected a Ray cluster that takes jobs at {address}; {sentence(first_line(error))} "
            "Give the address of its dashboard, as `ray start --head` prints it: http://HOST:8265."
        ) from error
    try:
        return _follow(client, job, address)
    except UNANSWERED as error:
        raise EngineError(
            f"the cluster at {address} does not answer any more: {sentence(first_line(error))} "
            f"The job may be running; follow it: {_command_to_follow(address, job)}"
        ) from error


class Client(JobSubmissionClient):
    """Ray's client, which by itself waits for an answer for ever."""

    def _do_request(self, *arguments: Any, **keywords: Any) -> Any:
        keywords.setdefault("timeout", REQUEST_SECONDS)
        return super()._do_request(*arguments, **keywords)


def _check_paths(config_path: str, config: RunConfig) -> None:
    if not Path(config.run.folder).is_absolute():
        raise ConfigError(
            f"run.folder = {config.run.folder} would lie in the job's own folder, which the "
            "cluster throws away. Give an absolute path that all nodes see: "
            "run.folder=/shared/runs."
        )
    sent = Path.cwd().resolve()
    sources = (*config.data.train, *config.data.heldout)
    named: list[str | None] = [config_path, config.model.path]
    named += [source.path for source in sources] + [source.images_folder for source in sources]
    named += [config.data.difficulty.path] if config.data.difficulty else []
    for path in (Path(name) for name in named if name):
        if is_pattern(str(path)):
            path = next((each for each in path.parents if not is_pattern(str(each))), path)
        if path.is_absolute() or not path.exists():
            continue  # a path on the cluster, or a hub id
        inside = path.resolve().relative_to(sent) if path.resolve().is_relative_to(sent) else None
        if inside is None or any(f"{part}/" in EXCLUDED for part in inside.parts):
            raise ConfigError(
                f"{path} is not sent with the job: only the current folder is, without "
                f"{', '.join(EXCLUDED[:4])} runs and checkpoints. Move it, or give an absolute "
                "path on the cluster."
            )


def _runtime_environment(
    config: RunConfig, requirements: Path | None, variables: Sequence[str]
) -> dict[str, Any]:
    wrong = [text for text in variables if "=" not in text]
    if wrong:
        raise ConfigError(f"--env {wrong[0]}: expected NAME=VALUE.")
    environment: dict[str, Any] = {
        "working_dir": os.getcwd(),
        "excludes": list(EXCLUDED),
        "env_vars": dict(text.split("=", 1) for text in variables),
    }
    if requirements is not None:
        if not requirements.is_file():
            raise ConfigError(f"--requirements {requirements}: expected a file, found none.")
        environment["pip"] = str(requirements)
    return environment


def _follow(client: Client, job: str, address: str) -> int:
    """Print the job's log until it ends; Ctrl-C asks whether to stop it."""
    log = JobLog(client, job)
    while True:
        try:
            asyncio.run(log.print_to_the_end())
            return _exit_status(client, job)
        except KeyboardInterrupt:
            answer = _confirm_stop(job)
            if answer is None:
                print(f"left running: {_command_to_follow(address, job)}")
                return INTERRUPTED
            if answer:
                return _stop(client, job)


class JobLog:
    """What a job writes; printing it may be interrupted and resumed."""

    def __init__(self, client: Client, job: str) -> None:
        self.client = client
        self.job = job
        self._num_printed = 0
        """Characters of the log that were printed so far."""

    async def print_to_the_end(self) -> None:
        """Print what is new until the job ends; the cluster may hang up in between."""
        while True:
            await self._print_until_it_hangs_up()
            if self.client.get_job_status(self.job).is_terminal():
                # The job may have written its last lines after the last look, then ended.
                self._print_new(self.client.get_job_logs(self.job), 0)
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _print_until_it_hangs_up(self) -> None:
        texts: AsyncIterator[str] = self.client.tail_job_logs(self.job)
        waiting: asyncio.Future[str] | None = None
        num_seen = 0
        while True:
            waiting = waiting or asyncio.ensure_future(anext(texts))
            done, _ = await asyncio.wait([waiting], timeout=LOOK_SECONDS)
            if not done:
                # Nothing was written. A cluster that is gone would be silent, too: ask it.
                if self.client.get_job_status(self.job).is_terminal():
                    return
                continue
            try:
                text = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            self._print_new(text, num_seen)
            num_seen += len(text)

    def _print_new(self, text: str, start: int) -> None:
        """Print what of `text`, which begins at character `start` of the log, was not printed."""
        print(text[max(0, self._num_printed - start) :], end="", flush=True)
        self._num_printed = max(self._num_printed, start + len(text))


def _command_to_follow(address: str, job: str) -> str:
    return f"ray job logs --address {address} --follow {job}"


def _confirm_stop(job: str) -> bool | None:
    """Whether to stop the job; None to leave it running and go."""
    if not sys.stdin.isatty():
        return None
    try:
        answer = input(f"\nstop job {job}? [y/N; Ctrl-C leaves it running and goes] ")
    except (KeyboardInterrupt, EOFError):
        print()
        return None
    return answer.strip().lower() in ("y", "yes")


def _stop(client: Client, job: str) -> int:
    client.stop_job(job)

    async def wait() -> None:
        while not client.get_job_status(job).is_terminal():
            await asyncio.sleep(0.5)

    try:
        asyncio.run(asyncio.wait_for(wait(), STOP_SECONDS))
    except TimeoutError:
        print(f"job {job} was told to stop and has not ended after {STOP_SECONDS:.0f} s")
    else:
        print(f"stopped job {job}")
    return INTERRUPTED


def _exit_status(client: Client, job: str) -> int:
    info = client.get_job_info(job)
    if info.status is JobStatus.SUCCEEDED:
        return 0
    print(f"job {job} {info.status.lower()}: {info.message or 'no message'}", file=sys.stderr)
    if info.status is JobStatus.STOPPED:
        return INTERRUPTED
    return info.driver_exit_code or 1
