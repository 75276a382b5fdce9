"""A model folder is loaded as what it is, and a picture that cannot be read is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, Glm4vForConditionalGeneration, Qwen2ForCausalLM

from rlcs.errors import ModelError
from rlcs.model.loading import decode_image, image_token_ids, load_model
from rlcs.model.prompt_reader import PromptReader


def test_the_class_is_the_folders(tiny_model: str, tiny_glm: str) -> None:
    assert type(load_model(tiny_model, "float32")) is Qwen2ForCausalLM
    seeing = load_model(tiny_glm, "bfloat16")
    assert type(seeing) is Glm4vForConditionalGeneration
    assert seeing.dtype == torch.bfloat16


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(str(tmp_path), "float32")


def test_tokens_of_pictures(tiny_model: str, tiny_glm: str) -> None:
    assert image_token_ids(AutoConfig.from_pretrained(tiny_model)) == ()
    assert len(image_token_ids(AutoConfig.from_pretrained(tiny_glm))) == 2


def test_a_broken_picture_is_named(make_image) -> None:
    whole = make_image(1)
    cut = replace(whole, name="cut.png", stored=whole.read()[:5000])
    with pytest.raises(ModelError, match=r"picture cut\.png: expected one that can be decoded"):
        decode_image(cut)


def test_a_model_without_an_image_processor(tiny_model: str, make_image) -> None:
    model = load_model(tiny_model, "float32")
    ids = torch.arange(11, 20)[None]
    with pytest.raises(ModelError, match="expected an image processor"):
        PromptReader(model, tiny_model).inputs(ids, torch.ones_like(ids).bool(), [make_image(1)])
