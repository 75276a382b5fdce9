"""LoRA adapters (arXiv 2106.09685): small matrices that are trained in place of the model.

Learner and engines make them the same way by the package peft. Only the adapters are published;
an export has them merged into the model's own weights.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from rlcs.config import LoraSection
from rlcs.errors import ConfigError, PackageMissingError
from rlcs.model.parts import language_layers
from rlcs.model.weights import Weights, to_array, to_tensor

PREFIX = "base_model.model."
"""What peft puts before the model's own names."""


def check_adapter_package(section: LoraSection | None) -> None:
    """Check that the package that adapters need is installed.

    Raises:
        PackageMissingError: it is not.
    """
    if section is not None and importlib.util.find_spec("peft") is None:
        raise PackageMissingError(
            "learner.lora needs the package peft, which is not installed. Install it by "
            "pip install 'rlcs[lora]', or leave learner.lora out to train all weights."
        )


def add_adapters(model: torch.nn.Module, section: LoraSection) -> torch.nn.Module:
    """``model`` with new adapters, which alone are trainable and change nothing yet.

    They go to the language model alone: engines do not serve any in a vision tower.

    Raises:
        ConfigError: ``section.targets`` names layers that the language model does not have.
    """
    import peft

    layers = language_layers(model)
    kinds = sorted({layer.rpartition(".")[2] for layer in layers})
    if unknown := sorted(set(section.targets or ()) - set(kinds)):
        raise ConfigError(
            f"learner.lora.targets = {section.targets}: the language model has no linear layers "
            f"called {', '.join(unknown)}. It has {', '.join(kinds)}."
        )
    wanted = section.targets or kinds

    settings = peft.LoraConfig(
        r=section.rank,
        lora_alpha=section.alpha,
        target_modules=[layer for layer in layers if layer.rpartition(".")[2] in wanted],
        bias="none",
        task_type="CAUSAL_LM",
    )
    adapted: torch.nn.Module = peft.get_peft_model(model, settings, autocast_adapter_dtype=False)
    return adapted


def num_adapter_parameters(model: Any, section: LoraSection) -> int:
    """How many parameters the adapters of ``model`` will have."""
    wanted = section.targets
    layers = [
        model.get_submodule(name)
        for name in language_layers(model)
        if wanted is None or name.rpartition(".")[2] in wanted
    ]
    return sum(section.rank * (layer.in_features + layer.out_features) for layer in layers)


def adapter_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The adapters of :func:`add_adapters` by the names they have in an adapter folder."""
    return {
        name.replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def merge(weights: Mapping[str, Any], section: LoraSection) -> Weights:
    """The ``weights`` of an adapted model as those of a plain one: W + (alpha / rank) B A."""
    merged: Weights = {}
    for name, array in weights.items():
        if ".lora_" in name:
            continue
        plain = name.removeprefix(PREFIX).replace(".base_layer.", ".")
        layer = name.removesuffix(".base_layer.weight")
        down = weights.get(f"{layer}.lora_A.default.weight")
        if layer == name or down is None:
            merged[plain] = array
            continue
        up = weights[f"{layer}.lora_B.default.weight"]
        change = to_tensor(up).float() @ to_tensor(down).float() * (section.alpha / section.rank)
        weight = to_tensor(array)
        merged[plain] = to_array((weight.float() + change).to(weight.dtype))
    return merged


def write_adapter(folder: Path, weights: Weights, section: LoraSection) -> None:
    """Write an adapter folder as vLLM reads it; ``weights`` have the names of its file."""
    targets = sorted({name.split(".lora_")[0].rpartition(".")[2] for name in weights})
    settings = {
        "peft_type": "LORA",
        "r": section.rank,
        "lora_alpha": section.alpha,
        "target_modules": targets,
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    tensors = {name: to_tensor(array) for name, array in weights.items()}
    save_file(tensors, folder / "adapter_model.safetensors")
