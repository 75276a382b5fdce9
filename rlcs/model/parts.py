"""The parts of a model: its vision tower, its language model, and what of them is trained."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from rlcs.config import TrainedSection
from rlcs.errors import ConfigError

TOWER_NAMES = ("visual", "vision_tower", "vision_model")
PROJECTOR_NAMES = ("multi_modal_projector", "connector")
"""Of layers that bring pictures to the language model, where they do not stand in the tower."""
NO_ADAPTERS = ("embed_tokens", "lm_head", "wte", "wpe")
"""Matrices that are no linear layers of the language model, or its output layer."""
CHUNK_BYTES = 512 * 2**20
"""Logits in float32 that the learner's output layer makes at a time."""
RECOMPUTE_FROM = 500_000_000
"""From so many parameters on, activations are computed again where nothing else is said."""


def recomputes(wanted: bool | None, num_parameters: int) -> bool:
    """Whether the learner computes activations again: as ``wanted``, else by the model's size."""
    return num_parameters >= RECOMPUTE_FROM if wanted is None else wanted


def num_parameters(*modules: torch.nn.Module) -> int:
    """How many parameters ``modules`` have, whole ones of ZeRO-3 included."""
    return sum(
        int(getattr(parameter, "ds_numel", parameter.numel()))
        for module in modules
        for parameter in module.parameters()
    )


def vision_parts(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The vision tower of ``model``, and its projector if that stands beside it; none in a model
    that reads text alone."""
    found: list[torch.nn.Module] = []
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in (*TOWER_NAMES, *PROJECTOR_NAMES) and not (
            inside and name.startswith(inside)
        ):
            found.append(module)
            inside += (f"{name}.",)
    return found


def folder_numbers(path: str) -> int:
    """How many parameters the weights in a model folder are; 0 for a hub id."""
    return sum(map(math.prod, _folder_shapes(path).values()))


def trained_numbers(path: str, trained: TrainedSection) -> int:
    """How many numbers are trained of the model in a folder, by the names and shapes in its files;
    0 for a hub id."""
    shapes = {
        name: shape
        for name, shape in _folder_shapes(path).items()
        if trained.train == "all" or not {*name.split(".")} & {*TOWER_NAMES, *PROJECTOR_NAMES}
    }
    if trained.lora is None:
        return sum(map(math.prod, shapes.values()))
    total = 0
    for name, shape in shapes.items():
        layer = name.removesuffix(".weight").rpartition(".")[2]
        targets = trained.lora.targets
        if len(shape) == 2 and (layer in targets if targets else layer not in NO_ADAPTERS):
            total += trained.lora.rank * sum(shape)
    return total


def _folder_shapes(path: str) -> dict[str, list[int]]:
    """The shapes of the weights in a model folder, of which nothing but the heads is read."""
    shapes: dict[str, list[int]] = {}
    for file in sorted(Path(path).glob("*.safetensors")):
        with suppress(SafetensorError), safe_open(file, framework="pt") as opened:
            shapes |= {name: opened.get_slice(name).get_shape() for name in opened.keys()}  # noqa: SIM118
    return shapes


def freeze_vision(model: torch.nn.Module) -> None:
    """Leave the vision tower and its projector as they are: no gradients, no optimiser state.

    Raises:
        ConfigError: the model has none.
    """
    parts = vision_parts(model)
    if not parts:
        raise ConfigError(
            f"learner.train = language leaves the vision tower out, but {type(model).__name__} has "
            "none. Use learner.train=all."
        )
    for part in parts:
        part.requires_grad_(False)


def language_layers(model: Any) -> list[str]:
    """The names of the linear layers of the language model, its output layer left out."""
    of_vision = {id(each) for part in vision_parts(model) for each in part.modules()}
    output = id(model.get_output_embeddings())
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and id(module) not in of_vision | {output}
    ]
