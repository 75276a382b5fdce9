"""Jobs on a cluster of one node that was started as a user starts it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from workshop import HERE, ROOT, Workshop, base_config, num_lines

from rlcs.cli.main import main

TOKEN = "a" * 64
NOT_SENT = (
    *("secrets.txt", ".git/config", ".venv/pyvenv.cfg", ".cache/a.bin"),
    *("checkpoints/step_000001/b.bin", "runs/new/c.bin", "outputs/step_000002.partial"),
)
JOB_PATH = f"--env=PYTHONPATH={HERE}{os.pathsep}{ROOT}"
"""Where jobs find the verifier of their configuration: the cluster was started without it."""
STEPS = "log/steps.jsonl"


@dataclass(frozen=True)
class Site:
    """A folder to submit from, and the cluster's addresses."""

    folder: Path
    runs: Path
    temporary: Path
    """Where the cluster keeps what it was sent."""
    dashboard: str
    head: str

    def environment(self, token: str = TOKEN) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        path = f"{HERE}{os.pathsep}{ROOT}"
        ray = {"RAY_AUTH_TOKEN": token, "RAY_USAGE_STATS_ENABLED": "0"}
        return {**kept, **ray, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}

    def submit(self, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        return self.run(
            [*self.command("submit"), "--address", self.dashboard, *arguments], token=token
        )

    def run(
        self, command: list[str], *, token: str = TOKEN, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment(token), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def command(self, verb: str) -> list[str]:
        return [sys.executable, "-m", "rlcs.cli", verb, "config.yaml"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def site(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    config = base_config(Path("."))
    config["run"].update(num_steps=2, folder=str(folder / "shared"))
    config["data"]["heldout"] = []
    (folder / "here" / "runs" / "old").mkdir(parents=True)
    (folder / "here" / "runs" / "old" / "big.bin").write_bytes(b"x" * 10**6)
    for path in NOT_SENT:
        (folder / "here" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "here" / path).write_text("x")
    (folder / "here" / ".gitignore").write_text("secrets.txt\n")
    shutil.copytree(workshop.model, folder / "here" / "model")
    (folder / "here" / "train.jsonl").write_bytes((workshop.folder / "train.jsonl").read_bytes())
    (folder / "here" / "config.yaml").write_text(yaml.safe_dump(config))
    port, dashboard_port = free_port(), free_port()
    temporary = Path(tempfile.mkdtemp(prefix="rlcs_jobs_", dir="/tmp"))  # sockets need a short path
    site = Site(
        temporary=temporary,
        folder=folder / "here",
        runs=folder / "shared",
        dashboard=f"http://127.0.0.1:{dashboard_port}",
        head=f"127.0.0.1:{port}",
    )
    with (folder / "head.txt").open("wb") as output:
        head = subprocess.Popen(
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
                *(f"--port={port}", f"--dashboard-port={dashboard_port}", "--num-cpus=3"),
                f"--dashboard-agent-listen-port={free_port()}",  # others may have a cluster here
                *(f"--temp-dir={temporary}", "--object-store-memory=100000000"),
            ],
            env={**site.environment(), "RAY_AUTH_MODE": "token", "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    wait_for_port(dashboard_port)
    yield site
    head.send_signal(signal.SIGTERM)
    head.wait(60)
    shutil.rmtree(temporary, ignore_errors=True)


def wait_for_port(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"nobody came to listen at {port}")


@pytest.mark.long
def test_a_job_is_followed_to_its_end(site: Site) -> None:
    done = site.submit(JOB_PATH, "run.name=job")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "step 2/2" in done.stdout
    assert (site.runs / "job" / "summary.json").exists()
    sent = [path for path in site.temporary.rglob("working_dir_files/*/*")]
    assert {path.name for path in sent} >= {"config.yaml", "train.jsonl"}
    there = {path.name for path in site.temporary.rglob("working_dir_files/**/*")}
    assert there.isdisjoint(Path(path).name for path in NOT_SENT)

    again = site.submit(JOB_PATH, "run.name=job")
    assert again.returncode == 2
    assert "exists already" in again.stdout
    assert "Traceback" not in again.stdout + again.stderr


FOLLOW_TOO_LATE = """
import asyncio, sys
from rlcs.cli.submit.job import Client, JobLog

class LateFollower(Client):
    # Gets no piece of the log in time, as when a job ends between two looks.
    async def tail_job_logs(self, job_id):
        await asyncio.sleep(3600)
        yield ""

client = LateFollower(sys.argv[1])
job = client.submit_job(entrypoint="echo first; echo the last line; exit 2")
asyncio.run(JobLog(client, job).print_to_the_end())
"""


@pytest.mark.long
def test_the_last_lines_of_a_job_that_ends_between_two_looks_are_printed(site: Site) -> None:
    follow = [sys.executable, "-c", FOLLOW_TOO_LATE, site.dashboard]
    done = site.run(follow, RAY_AUTH_MODE="token")
    assert "first\nthe last line\n" in done.stdout, done.stderr


@pytest.mark.stress
def test_requirements_are_there_for_the_job(site: Site, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "shipped_verifier", (HERE / "checksum_verifier.py").read_text())
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{wheel}\n")
    verifier = "scoring.domains.checksum.verifier=shipped_verifier:judge"
    done = site.submit("--requirements", str(requirements), "run.name=shipped", verifier)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site.runs / "shipped" / "summary.json").exists()


def write_wheel(folder: Path, module: str, text: str) -> Path:
    """A package of one module, as pip installs it."""
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{module}.py", text)
        about = f"{module}-1.0.dist-info"
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n"
        )
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{about}/WHEEL", tags)
        archive.writestr(f"{about}/RECORD", "")
    return path


@pytest.mark.stress
def test_rays_own_command_does_as_well(site: Site) -> None:
    done = site.run(
        [
            *(sys.executable, "-m", "ray.scripts.scripts", "job", "submit"),
            *("--address", site.dashboard, "--working-dir", "."),
            *("--runtime-env-json", f'{{"env_vars": {{"PYTHONPATH": "{HERE}:{ROOT}"}}}}'),
            *("--", "python", "-m", "rlcs.cli", "train", "config.yaml", "run.name=plain"),
        ],
        RAY_AUTH_MODE="token",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site.runs / "plain" / "summary.json").exists()


@pytest.mark.long
def test_ctrl_c_asks_whether_to_stop_the_job(site: Site) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *site.command("submit"),
            *("--address", site.dashboard, JOB_PATH),
            *("run.name=endless", "run.num_steps=5000"),
        ],
        cwd=site.folder,
        env=site.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    steps = site.runs / "endless" / STEPS
    said = read_until(ours, "step 1/5000")  # the log is being followed
    process.send_signal(signal.SIGINT)
    said += read_until(ours, "stop job")
    os.write(ours, b"n\n")
    seen = num_lines(steps)
    wait_until(lambda: num_lines(steps) > seen)
    process.send_signal(signal.SIGINT)
    said += read_until(ours, "stop job")
    os.write(ours, b"y\n")
    said += read_until(ours, "stopped job")
    assert process.wait(60) == 130
    assert said.count("step 1/5000") == 1, "the log goes on where it was"
    assert "Traceback" not in said
    seen = num_lines(steps)
    time.sleep(2)
    assert num_lines(steps) == seen


@pytest.mark.long
def test_a_wrong_token_is_said(site: Site) -> None:
    refused = site.submit("run.name=x", token="b" * 64)
    assert refused.returncode == 2
    assert "does not take the token" in refused.stderr
    assert "RAY_AUTH_TOKEN" in refused.stderr
    joined = site.run(
        [*site.command("train"), "run.name=x", f"hardware.ray_address={site.head}"], token="b" * 64
    )
    assert joined.returncode == 2
    assert "token" in joined.stderr
    assert "Traceback" not in refused.stderr + joined.stderr
    assert not (site.runs / "x").exists()


REFUSED = [
    pytest.param(["--address", "http://127.0.0.1:1"], "that takes jobs at", id="nobody there"),
    pytest.param(["--address", "nonsense"], "that takes jobs at", id="no address"),
    pytest.param(
        ["--address", "http://127.0.0.1:1", "run.folder=runs"], "absolute path", id="lost runs"
    ),
    pytest.param(
        ["--address", "http://127.0.0.1:1", "model.path=.cache/m"], "is not sent", id="not sent"
    ),
    pytest.param(["--address", "http://127.0.0.1:1", "--env", "A"], "NAME=VALUE", id="no variable"),
    pytest.param(
        ["--address", "http://127.0.0.1:1", "--requirements", "none.txt"],
        "expected a file",
        id="no requirements",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_be_submitted(
    arguments, message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".cache" / "m").mkdir(parents=True)
    (tmp_path / "train.jsonl").write_text("")
    config = base_config(Path("."))
    config["run"]["folder"] = str(tmp_path / "runs")
    config["data"]["heldout"] = []
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["submit", "config.yaml", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def wait_until(sign) -> None:
    until = time.monotonic() + 240
    while not sign():
        assert time.monotonic() < until
        time.sleep(0.05)


def read_until(descriptor: int, sign: str) -> str:
    said = ""
    until = time.monotonic() + 240
    while sign not in said:
        assert time.monotonic() < until, said
        if not select.select([descriptor], [], [], 1.0)[0]:
            continue
        said += os.read(descriptor, 4096).decode(errors="replace")
    return said
