"""``rlcs export --push``: onto a stand-in for the hub that keeps what is sent to it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import yaml

from rlcs.cli.export.card import plain, read_card
from rlcs.cli.main import main
from rlcs.config import RunConfig, write_config

NASTY = "<script>alert(1)</script> | [x](http://evil) `y` \u202e\x1b[31m\n---\nlicense: mit"


class Hub(ThreadingHTTPServer):
    """What the hub's API does for an upload of small files."""

    made: list[dict[str, Any]]
    files: dict[str, bytes]
    tokens: set[str]
    status: int


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.add(self.headers["Authorization"])
        if self.path == "/api/repos/create":
            self.server.made.append(json.loads(body))
            self.answer(200, {"url": f"{self.address}/me/model"})
        elif self.path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif self.path.endswith("/preupload/main"):
            asked = json.loads(body)["files"]
            files = [
                {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for each in asked
            ]
            self.answer(200, {"files": files})
        elif self.path.endswith("/commit/main"):
            for line in body.splitlines():
                row = json.loads(line)
                if row["key"] == "file":
                    content = base64.b64decode(row["value"]["content"])
                    self.server.files[row["value"]["path"]] = content
            url = f"{self.address}/me/model/commit/{'0' * 40}"
            self.answer(
                self.server.status, {"success": True, "commitOid": "0" * 40, "commitUrl": url}
            )
        else:
            self.answer(404, {"error": self.path})

    def do_GET(self) -> None:
        self.answer(200, {"id": "me/model", "sha": "0" * 40, "siblings": []})

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, status: int, value: Any) -> None:
        payload = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub(("127.0.0.1", 0), Handler)
    hub.made, hub.files, hub.tokens, hub.status = [], {}, set(), 200
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{hub.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield hub
    hub.shutdown()
    hub.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that is at its end, whose texts are a stranger's."""
    folder = tmp_path / "runs" / "mine"
    model = folder / "checkpoints" / "step_000002" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    values = {
        "run": {"name": "mine", "num_steps": 2, "groups_per_step": 4},
        "model": {"path": "Qwen/Qwen2.5-1.5B-Instruct"},
        "data": {
            "train": [
                {"hub": "openai/gsm8k", "subset": "main", "system_prompt": NASTY},
                {"path": str(tmp_path / "home" / "secret-name.jsonl"), "category": NASTY},
            ]
        },
        "curriculum": {"kind": "uniform"},
    }
    write_config(RunConfig.model_validate(values), folder / "config.resolved.yaml")
    part = {"accuracy": 0.25, "greedy": 0.5, "problems": 40}
    after = {**part, "accuracy": 0.75, "samples_per_problem": 4, "by_domain": {NASTY: part}}
    summary = {"steps": 2, "rollouts": 64, "eval": {"before": part, "after": after}}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def export(run: Path, out: Path, *arguments: str) -> int:
    return main(["export", str(run / "checkpoints" / "step_000002"), str(out), *arguments])


def test_the_model_and_its_card_reach_the_hub(
    run: Path, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(run, tmp_path / "out", "--push", "me/model") == 0
    assert hub.made[0]["name"] == "model"
    assert hub.made[0]["visibility"] == "private"
    assert hub.tokens == {"Bearer hf_secret"}
    assert set(hub.files) == {"README.md", "config.json", "model.safetensors"}
    assert hub.files["README.md"] == (tmp_path / "out" / "README.md").read_bytes()
    printed = capsys.readouterr().out
    assert f"127.0.0.1:{hub.server_port}/me/model" in printed
    assert "hf_secret" not in printed


def test_the_card_says_what_was_trained_on_what_and_how_well_it_does(run: Path) -> None:
    card = read_card(run, "me/model")
    _, header, text = card.split("---\n", 2)
    assert yaml.safe_load(header) == {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["reinforcement-learning", "rlcs"],
        "base_model": "Qwen/Qwen2.5-1.5B-Instruct",
        "datasets": ["openai/gsm8k"],
    }
    assert "| all problems | 40 | 25.0 % | 75.0 % | 50.0 % | 50.0 % |" in text
    assert "| kind | uniform |" in text
    assert "| learning rate | 1e\\-06, constant |" in text
    assert "vllm serve me/model" in text


def test_nothing_of_a_strangers_run_becomes_markup_or_a_path(run: Path, tmp_path: Path) -> None:
    card = read_card(run, "me/model")
    _, header, text = card.split("---\n", 2)
    assert "license" not in header
    assert "<script" not in card
    assert "](http" not in card
    assert "\x1b" not in card
    assert "\u202e" not in card
    assert "\nlicense: mit" not in card
    assert str(tmp_path) not in card
    tables = [line for line in text.splitlines() if line.startswith("|")]
    columns = [line.replace("\\|", "").count("|") - 1 for line in tables]
    assert set(columns) <= {2, 3, 6}
    assert plain("a\nb") == "a\\\\nb"
    assert len(plain("x" * 10_000)) <= 203


def test_what_the_hub_refuses_is_told_and_the_folder_stays(
    run: Path, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.status = 403
    assert export(run, tmp_path / "out", "--push", "me/model") == 2
    printed = capsys.readouterr().err
    assert "the hub does not take me/model: " in printed
    assert "Traceback" not in printed
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_a_hub_that_is_not_there(
    run: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert export(run, tmp_path / "out", "--push", "me/model") == 2
    assert "the hub does not take me/model: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("repo_id", "message"),
    [("a/b/c", "expected the id of a model"), ("../x", "expected the id of a model")],
)
def test_a_name_that_no_model_can_have(
    repo_id: str, message: str, run: Path, hub: Hub, tmp_path: Path, capsys: Any
) -> None:
    assert export(run, tmp_path / "out", "--push", repo_id) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_token_or_a_run(
    run: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    bare = tmp_path / "bare" / "a" / "model"
    bare.mkdir(parents=True)
    (bare / "config.json").write_text("{}")
    assert main(["export", str(bare.parent), str(tmp_path / "out"), "--push", "me/model"]) == 2
    assert "from which the model card is written" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    assert export(run, tmp_path / "out", "--push", "me/model") == 2
    assert "hf auth login" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
