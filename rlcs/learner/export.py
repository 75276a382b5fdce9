"""A model as a Hugging Face folder: of a rank's weights, or of a state without a rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from rlcs.config import LoraSection, ModelSection, TrainedSection
from rlcs.errors import LearningError
from rlcs.files import writing
from rlcs.learner.state_files import StateReader
from rlcs.model.loading import load_model
from rlcs.model.lora import add_adapters, merge
from rlcs.model.parts import freeze_vision
from rlcs.model.weights import Weights, to_array, to_tensor

POLICY = "model."
"""What stands before a parameter's name in the policy, and so in a state."""


def write_model(model: Any, weights: Weights, lora: LoraSection | None, folder: Path) -> None:
    """Write ``model`` with ``weights`` into ``folder``, its adapters merged.

    Raises:
        StorageError: the disk is full, read-only or gone.
    """
    if lora:
        weights, model = merge(weights, lora), model.get_base_model()
    state = {name: to_tensor(array) for name, array in weights.items()}
    with writing("the model", folder):
        model.save_pretrained(folder, state_dict=state)


def export_state(state: Path, folder: Path, model: ModelSection, trained: TrainedSection) -> None:
    """Write the model of the learner's ``state`` (a folder) into ``folder``, without any rank.

    What was not trained comes from ``model.path``. It takes the model's size in memory, on the CPU.

    Raises:
        LearningError: the state is damaged, or another model's.
        ModelError: ``model`` cannot be loaded.
        StorageError: the disk is full, read-only or gone.
    """
    reader = StateReader(state)
    whole: Any = load_model(model.location, model.dtype, trust_code=model.trust_code)
    if trained.lora:
        whole = add_adapters(whole, trained.lora)
    elif trained.train == "language":
        freeze_vision(whole)
    parameters = dict(whole.named_parameters())
    expected = {
        f"{POLICY}{name}": tuple(parameter.shape)
        for name, parameter in parameters.items()
        if parameter.requires_grad
    }
    if expected != reader.summary.shapes:
        raise LearningError(
            f"expected the {len(expected)} trained parameters of {model.path} in {state}, found "
            f"{len(reader.summary.shapes)} of other names or shapes. Put the model that the run "
            "started from back at model.path."
        )
    with torch.no_grad():
        for name in expected:
            parameters[name.removeprefix(POLICY)].copy_(reader.whole(name))
    weights = {name: to_array(each, copy=False) for name, each in parameters.items()}
    write_model(whole, weights, trained.lora, folder)
