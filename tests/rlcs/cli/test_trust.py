"""Code that a run folder names does not run until somebody allows it; a canary file proves it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from workshop import base_config, write_jsonl

from rlcs.cli import trust
from rlcs.cli.main import main
from rlcs.cli.trust import NamedCode, allow, find_files, is_allowed, load_trusted
from rlcs.config import GradeConfig, RunConfig
from rlcs.errors import ConfigError, UntrustedCodeError

MODULE = """
from pathlib import Path
from rewards import Outcome, Verdict

Path({canary!r}).write_text("code ran")


def judge(request):
    return Verdict(outcome=Outcome.CORRECT, score=1.0, extracted=None, detail="", seconds=0.0)
"""


@pytest.fixture(autouse=True)
def nothing_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("foreign_verifier", None)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def run(tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A colleague's run folder, with a verifier in it, looked at from within."""
    run = tmp_path / "runs" / "theirs"
    (run / "checkpoints").mkdir(parents=True)
    (run / "foreign_verifier.py").write_text(MODULE.format(canary=str(canary)))
    write_config(run, run / "config.resolved.yaml")
    monkeypatch.chdir(run)
    return run


def write_config(folder: Path, path: Path, **model: Any) -> Path:
    rows = [{"id": f"p{n}", "question": f"{n} + 1?", "answer": "2"} for n in range(8)]
    config = base_config(folder)
    for name in ("train", "heldout"):
        file = write_jsonl(folder / f"{name}.jsonl", rows[1:] if name == "train" else rows[:1])
        config["data"][name][0]["path"] = str(file)
    config["scoring"]["domains"]["checksum"]["verifier"] = "foreign_verifier:judge"
    config["model"] |= model
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check", "config.resolved.yaml", "--gold"], id="check"),
        pytest.param(["doctor", "config.resolved.yaml"], id="doctor"),
        pytest.param(["eval", "config.resolved.yaml"], id="eval"),
        pytest.param(["train", "--resume", "."], id="resume"),
        pytest.param(["train", "config.resolved.yaml"], id="a new run of it"),
        pytest.param(["eval", "checkpoints/eval.yaml"], id="another file of the folder"),
    ],
)
def test_a_run_folders_verifier_does_not_run(
    run: Path, canary: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(run, run / "checkpoints" / "eval.yaml")
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f"foreign_verifier:judge (from {run / 'foreign_verifier.py'})" in said
    assert "the verifier of the domain checksum" in said
    assert "--trust-code" in said
    assert said.count("\n") == 1
    assert not canary.exists()
    assert not (run.parents[1] / "state").exists()


def test_allowed_once_it_runs_until_a_byte_of_it_changes(
    run: Path, canary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["check", "config.resolved.yaml", "--gold"]
    assert main([*check, "--trust-code"]) == 0
    assert canary.exists()
    canary.unlink()
    assert main(check) == 0, "it was allowed before"
    assert canary.exists()
    canary.unlink()
    with (run / "foreign_verifier.py").open("a") as file:
        file.write("# changed\n")
    assert main(check) == 2
    assert not canary.exists()


def test_an_own_configuration_allows_what_it_names(
    run: Path, canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts a run with a verifier of their own is not asked when they go on with it."""
    own = write_config(run, tmp_path / "config.yaml")
    monkeypatch.syspath_prepend(run)
    load_trusted(own, (), kind=RunConfig, trust_code=False)
    load_trusted("config.resolved.yaml", (), kind=RunConfig, trust_code=False)
    assert not canary.exists(), "to read a configuration runs nothing"


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
def test_at_a_terminal_it_is_asked_once(
    run: Path, canary: Path, answer: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        asked = 0

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            self.asked += 1
            return answer

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["check", "config.resolved.yaml", "--gold"]) == status
    assert canary.exists() == (status == 0)
    assert main(["check", "config.resolved.yaml", "--gold"]) == status
    assert terminal.asked == (1 if status == 0 else 2)


def test_a_run_folder_does_not_say_that_it_is_trusted(run: Path, canary: Path) -> None:
    write_config(run, run / "config.resolved.yaml", trust_code=True)
    allow([NamedCode(domain="checksum", name="foreign_verifier:judge",
                     files=(run / "foreign_verifier.py",))])  # fmt: skip
    with pytest.raises(ConfigError, match="no run folder says it for you"):
        load_trusted("config.resolved.yaml", (), kind=RunConfig, trust_code=False)
    config = load_trusted("config.resolved.yaml", (), kind=RunConfig, trust_code=True)
    assert config.model.trust_code
    assert "trust_code" not in config.model_dump()["model"], "and none is written"


def test_the_flag_reaches_every_graded_model() -> None:
    models = [{"name": "a", "path": "x"}, {"name": "b", "path": "y"}]
    config = GradeConfig.model_validate({"models": models, "data": {"train": [{"path": "z"}]}})
    assert all(model.trust_code for model in trust.with_trust(config).models)


def test_the_files_of_a_module_are_found_without_running_any(
    tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package" / "inner"
    package.mkdir(parents=True)
    code = f"open({str(canary)!r}, 'w')\n"
    files = (package.parent / "__init__.py", package / "__init__.py", package / "judging.py")
    for file in files:
        file.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert tuple(find_files("package.inner.judging:judge")) == files
    assert list(find_files("no_such_module:judge")) == []
    assert not canary.exists()
    named = NamedCode(domain="d", name="package.inner.judging:judge", files=files)
    allow([named])
    assert is_allowed(named)
    files[0].write_text(code + "#")
    assert not is_allowed(named), "the package's own file runs first"


def test_where_nothing_can_be_remembered_it_is_asked_again(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    load_trusted("config.resolved.yaml", (), kind=RunConfig, trust_code=True)
    with pytest.raises(UntrustedCodeError):
        load_trusted("config.resolved.yaml", (), kind=RunConfig, trust_code=False)


def test_what_is_not_found_is_never_allowed_before() -> None:
    code = NamedCode(domain="d", name="builtins:eval", files=())
    allow([code])
    assert not is_allowed(code)
    assert "which is not found here" in str(code)


@pytest.mark.parametrize(
    ("engine", "extra", "refused"),
    [
        pytest.param("vllm", {"worker_cls": "foreign.W"}, True, id="names code"),
        pytest.param("vllm", {"kv_cache_dtype": "fp8"}, False, id="names none"),
        pytest.param("transformers", {"worker_cls": "foreign.W"}, False, id="is not read"),
    ],
)
def test_options_of_vllm_that_a_run_folder_gives(
    run: Path, engine, extra, refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verifier is allowed; an option of one's own configuration is one's own wish."""
    monkeypatch.syspath_prepend(run)
    path = Path("config.resolved.yaml")
    load_trusted(path, (), kind=RunConfig, trust_code=True)
    config = yaml.safe_load(path.read_text())
    config["rollout"] |= {"engine": engine, "vllm": {"extra": extra}}
    path.write_text(yaml.safe_dump(config))
    if refused:
        with pytest.raises(UntrustedCodeError, match=r"rollout\.vllm\.extra\.worker_cls"):
            load_trusted(path, (), kind=RunConfig, trust_code=False)
    else:
        load_trusted(path, (), kind=RunConfig, trust_code=False)
    load_trusted(path, (), kind=RunConfig, trust_code=True)
    own = run.parents[1] / "own.yaml"
    own.write_text(path.read_text())
    load_trusted(own, (), kind=RunConfig, trust_code=False)
