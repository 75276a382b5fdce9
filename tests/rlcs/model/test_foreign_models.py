"""A model folder from elsewhere: its code waits to be allowed, its pickles never run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlcs.data import Renderer
from rlcs.errors import ModelError, UntrustedCodeError
from rlcs.model.loading import load_model, named_code

CONFIGURATION = """
from pathlib import Path
from transformers import Qwen2Config

Path({canary!r}).write_text("code ran")


class ForeignConfig(Qwen2Config):
    model_type = "foreign_model"
"""
MODELING = """
from transformers import Qwen2ForCausalLM
from .configuration_foreign import ForeignConfig


class ForeignModel(Qwen2ForCausalLM):
    config_class = ForeignConfig
"""


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


@pytest.fixture
def folder(tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    shutil.copytree(tiny_model, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture
def with_code(folder: Path, canary: Path) -> Path:
    """The tiny model under a type that only its own code knows."""
    (folder / "configuration_foreign.py").write_text(CONFIGURATION.format(canary=str(canary)))
    (folder / "modeling_foreign.py").write_text(MODELING)
    auto_map = {
        "AutoConfig": "configuration_foreign.ForeignConfig",
        "AutoModelForCausalLM": "modeling_foreign.ForeignModel",
    }
    change(folder / "config.json", model_type="foreign_model", auto_map=auto_map)
    return folder


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(lambda path: load_model(path, "float32"), id="the model"),
        pytest.param(lambda path: Renderer.load(path, 60), id="tokenizer and template"),
    ],
)
def test_code_of_a_model_folder_does_not_run(
    with_code: Path, canary: Path, load: Callable[[str], Any]
) -> None:
    with pytest.raises(UntrustedCodeError) as refused:
        load(str(with_code))
    said = str(refused.value)
    assert "configuration_foreign.ForeignConfig (config.json)" in said
    assert "modeling_foreign.ForeignModel (config.json)" in said
    assert "--trust-code" in said
    assert "\n" not in said
    assert not canary.exists()


def test_allowed_it_runs(with_code: Path, canary: Path) -> None:
    try:
        model = load_model(str(with_code), "float32", trust_code=True)
    finally:
        for name in [name for name in sys.modules if "transformers_modules" in name]:
            del sys.modules[name]
    assert type(model).__name__ == "ForeignModel"
    assert canary.exists()


def test_code_for_what_transformers_knows_is_passed_over(folder: Path, canary: Path) -> None:
    """Many folders still carry the code of a model that transformers has had for long."""
    (folder / "configuration_foreign.py").write_text(CONFIGURATION.format(canary=str(canary)))
    change(folder / "config.json", auto_map={"AutoConfig": "configuration_foreign.ForeignConfig"})
    load_model(str(folder), "float32")
    Renderer.load(str(folder), 60)
    assert not canary.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_weights_run_nothing_and_are_refused_in_a_line(
    folder: Path, canary: Path, zipped: bool
) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(
        {"lm_head.weight": torch.zeros(2, 2), "more": Canary(canary)},
        folder / "pytorch_model.bin",
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(ModelError) as refused:
        load_model(str(folder), "float32")
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 500
    assert not canary.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100, b"\x08" + b"\x00" * 7 + b"[" * 8])
def test_damaged_weights_are_one_line(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded") as refused:
        load_model(str(folder), "float32")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "auto_map", [3, [1], {"AutoTokenizer": ["a.B", None]}, "x.Y", {"AutoConfig": {"a": 1}}]
)
def test_whatever_an_auto_map_is_it_can_be_named(folder: Path, auto_map: Any) -> None:
    change(folder / "tokenizer_config.json", auto_map=auto_map)
    assert named_code(folder)
