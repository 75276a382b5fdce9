"""What the trainer's tests share: tiny real models, engines, a Ray cluster, and a whole run."""

from __future__ import annotations

import io
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import PIL.Image
import pytest
import torch
import yaml
from transformers import (
    AutoProcessor,
    Glm4vForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from rlcs.cluster.placement import Needs
from rlcs.cluster.ray_cluster import ProcessPlan, start_cluster, stop_cluster
from rlcs.config import HardwareSection, VideoSection, VllmSection
from rlcs.data.images import encoded_image
from rlcs.data.videos import encoded_video
from rlcs.rollout.engine import GroupRequest
from rlcs.rollout.engines.transformers.engine import TransformersEngine
from rlcs.rollout.settings import EngineSettings
from rlcs.types import Image, Problem, Prompt, TrainingSample, Video

sys.path.insert(0, str(Path(__file__).parent))  # verifiers and helpers of the tests import by name

from shared_cluster import SharedCluster
from workshop import Workshop, base_config, heldout_rows, train_rows, write_jsonl

ROOT = Path(__file__).parents[2]
FIRST_PLAIN_TOKEN, LAST_PLAIN_TOKEN = 11, 300
"""Ids of the tiny model that are not special tokens."""


def pytest_configure() -> None:
    """One thread, as the actors of the tests have: results do not depend on the machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_tiny_model() -> Callable[..., str]:
    """Calls ``scripts/make_tiny_model FOLDER OPTIONS`` in this process; returns the folder."""

    def make(folder: Path, *options: str) -> str:
        script = str(ROOT / "scripts" / "make_tiny_model")
        with mock.patch.object(sys, "argv", [script, str(folder), *options]):
            runpy.run_path(script, run_name="__main__")
        return str(folder)

    return make


@pytest.fixture(scope="session")
def tiny_model(
    make_tiny_model: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A folder with an untrained model of 50 thousand parameters, made as a user makes it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    return make_tiny_model(folder, "--hidden", "32", "--layers", "2")


@pytest.fixture(scope="session")
def tiny_glm(make_tiny_model: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an untrained GLM-4.1V of 300 thousand parameters and its processor."""
    folder = tmp_path_factory.mktemp("models") / "tiny_glm"
    make_tiny_model(folder, "--vision", "--hidden", "64", "--layers", "2")
    model: Any = Glm4vForConditionalGeneration.from_pretrained(folder)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:  # a bias of zero or a norm of one that is left out is not seen
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_qwen_vl(tiny_glm: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an untrained Qwen2.5-VL, its processor, and the tokenizer of the tiny GLM."""
    extra = {"image_token": "<|image|>", "video_token": "<|video|>"}
    tokenizer: Any = PreTrainedTokenizerFast.from_pretrained(tiny_glm, extra_special_tokens=extra)
    ids = {
        f"{name}_token_id": tokenizer.convert_tokens_to_ids(token)
        for name, token in (
            ("image", "<|image|>"),
            ("video", "<|video|>"),
            ("vision_start", "<|begin_of_image|>"),
            ("vision_end", "<|end_of_image|>"),
        )
    }
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,  # of 32, as vLLM's kernels for a CPU want them
        "num_key_value_heads": 1,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1e4,
            "mrope_section": [4, 6, 6],
        },
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_heads": 4,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
        "window_size": 56,
    }
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)
    folder = tmp_path_factory.mktemp("models") / "tiny_qwen_vl"
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    size = {"shortest_edge": 112 * 112, "longest_edge": 224 * 224}
    Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(size=size),
        tokenizer,
        Qwen2VLVideoProcessor(size=size),
        chat_template=AutoProcessor.from_pretrained(tiny_glm).chat_template,
    ).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def make_image() -> Callable[..., Image]:
    """Makes a picture of noise, the same for the same ``seed`` and size."""

    def make(seed: int, width: int = 112, height: int = 112) -> Image:
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        written = io.BytesIO()
        PIL.Image.fromarray(pixels).save(written, "PNG")
        return encoded_image(written.getvalue(), name=f"noise {seed} {width} x {height}")

    return make


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Video]:
    """Makes a video of noise of ten frames a second, of which every other is shown."""

    def make(seed: int, number: int = 8, width: int = 112, height: int = 112) -> Video:
        draw = np.random.default_rng(seed)
        first, *others = (
            PIL.Image.fromarray(draw.integers(0, 256, (height, width, 3), dtype=np.uint8))
            for _ in range(number)
        )
        written = io.BytesIO()
        first.save(written, "GIF", save_all=True, append_images=others, duration=100)
        shown = VideoSection(frames_per_second=5.0, max_frames=6)
        return encoded_video(written.getvalue(), shown, name=f"noise {seed} of {number} frames")

    return make


@pytest.fixture(scope="session")
def make_problem() -> Callable[..., Problem]:
    """Makes a problem that asks ``text`` about pictures and videos."""

    def make(text: str, *images: Image | Video, **replaced: Any) -> Problem:
        fields: dict[str, Any] = {
            "problem_id": "p1",
            "domain": "counting",
            "category": "squares",
            "messages": ({"role": "user", "content": text},),
            "reference": 2,
            "question": text,
            "images": images,
        }
        return Problem(**{**fields, **replaced})

    return make


@pytest.fixture(scope="session")
def tokenizer(tiny_model: str) -> Any:
    """The tiny model's tokenizer."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture(scope="session")
def reference_model(tiny_model: str) -> torch.nn.Module:
    """The tiny model as transformers loads it; tests leave it as it is."""
    from transformers import AutoModelForCausalLM

    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    return model.eval()


@pytest.fixture(scope="session")
def make_settings() -> Callable[..., EngineSettings]:
    """Makes the settings of an engine in float32 on one thread of a CPU."""

    return engine_settings


@pytest.fixture(scope="session")
def transformers_engine() -> Callable[..., TransformersEngine]:
    """Makes an engine of transformers in this process, in float32 on a CPU."""

    def make(model_path: str, **replaced: Any) -> TransformersEngine:
        return TransformersEngine(engine_settings(model_path, engine="transformers", **replaced))

    return make


def engine_settings(model_path: str, *, engine: str, **replaced: Any) -> EngineSettings:
    fields: dict[str, Any] = {
        "dtype": "float32",
        "device": "cpu",
        "num_threads": 1,
        "batch_tokens": 20_000,
        "eos_token_ids": (),
        "max_row_tokens": 128,
        "vllm": VllmSection(),
    }
    return EngineSettings(engine=engine, model_path=model_path, **{**fields, **replaced})


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[SharedCluster]:
    """The Ray cluster of this process; a test that harms its nodes needs one of its own."""
    cluster = SharedCluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def plan(shared_cluster: SharedCluster) -> Iterator[ProcessPlan]:
    """Room for four engines and four ranks in the shared cluster, which is joined."""
    hardware = HardwareSection(
        device="cpu", threads_per_process=1, ray_address=shared_cluster.address
    )
    yield start_cluster(hardware, Needs(num_engines=4, num_ranks=4))
    stop_cluster()


@pytest.fixture(scope="session")
def make_request() -> Callable[..., GroupRequest]:
    """Makes a request of ``length`` prompt tokens, the same for the same ``problem``."""

    def make(problem: int, length: int, seeds: tuple[int, ...]) -> GroupRequest:
        draw = np.random.default_rng(problem)
        token_ids = draw.integers(FIRST_PLAIN_TOKEN, LAST_PLAIN_TOKEN, length)
        prompt = Prompt(problem_id=f"problem {problem}", token_ids=token_ids)
        return GroupRequest(prompt=prompt, seeds=seeds)

    return make


@pytest.fixture(scope="session")
def make_samples() -> Callable[..., list[TrainingSample]]:
    """Makes ``number`` samples of many lengths, some with inserted tokens in the middle.

    ``group_size`` of them in a row share their prompt.
    """

    def make(
        number: int, *, seed: int = 0, group_size: int = 1, **replaced: Any
    ) -> list[TrainingSample]:
        draw = np.random.default_rng(seed)
        samples = []
        prompt = np.zeros(0, dtype=np.int64)
        for index in range(number):
            num_prompt, num_drawn = int(draw.integers(1, 12)), int(draw.integers(1, 15))
            if index % group_size == 0:
                prompt = draw.integers(FIRST_PLAIN_TOKEN, LAST_PLAIN_TOKEN, num_prompt)
            fields: dict[str, Any] = {
                "token_ids": np.concatenate(
                    [prompt, draw.integers(FIRST_PLAIN_TOKEN, LAST_PLAIN_TOKEN, num_drawn)]
                ),
                "num_prompt_tokens": len(prompt),
                "old_logprobs": draw.normal(-5.7, 0.3, num_drawn).astype(np.float32),
                "loss_mask": np.arange(num_drawn) % 5 != 1 + index % 4,
                "advantage": float(draw.normal()),
            }
            samples.append(TrainingSample(**{**fields, **replaced}))
        return samples

    return make


@pytest.fixture(scope="session")
def make_workshop(
    tiny_model: str, shared_cluster: SharedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Workshop]:
    """Makes a tiny untrained model and problems for it, in a folder where no run was made."""

    def make() -> Workshop:
        folder = tmp_path_factory.mktemp("workshop")
        shutil.copytree(tiny_model, folder / "model")
        write_jsonl(folder / "train.jsonl", train_rows())
        write_jsonl(folder / "heldout.jsonl", heldout_rows())
        (folder / "config.yaml").write_text(yaml.safe_dump(base_config(folder)))
        return Workshop(folder, shared_cluster)

    return make


@pytest.fixture(scope="session")
def workshop(make_workshop: Callable[[], Workshop]) -> Workshop:
    """The workshop of all files that need none of their own."""
    return make_workshop()


@pytest.fixture(scope="session")
def whole_run(workshop: Workshop) -> Path:
    """A run that nothing disturbed, from its first step to its summary."""
    workshop.call("train", workshop.config)
    return workshop.run_folder("whole")
