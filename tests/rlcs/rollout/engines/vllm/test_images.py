"""vLLM says of pictures what transformers says, and forgets what it saw under older weights.

One vLLM in one actor for the whole file, as in test_vllm_engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import ray
import torch
from seeing import SAMPLING, logprobs_of

from rlcs.cluster.fetch import fetch
from rlcs.data import Renderer
from rlcs.model.loading import load_model
from rlcs.model.prompt_reader import PromptReader
from rlcs.model.weights import Probe, Publication, to_array
from rlcs.rollout.engine import GroupRequest
from rlcs.types import Prompt

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def eos_token_ids(tiny_glm: str) -> tuple[int, ...]:
    return Renderer.load(tiny_glm, max_prompt_tokens=500).eos_token_ids


@pytest.fixture(scope="module")
def actor(tiny_glm: str, eos_token_ids: tuple[int, ...], start_vllm: Callable[..., Any]) -> Any:
    return start_vllm(tiny_glm, eos_token_ids, most_shown={"image": 2, "video": 1})


def requests_for(prompts: list[Prompt], *seeds: int) -> list[GroupRequest]:
    return [GroupRequest(prompt=prompt, seeds=seeds) for prompt in prompts]


def test_logprobs_are_those_of_the_policy(actor: Any, seen_prompts: Any, tiny_glm: str) -> None:
    model = load_model(tiny_glm, "float32").eval()
    requests = requests_for(seen_prompts, 1, 2, 3, 4)
    groups = fetch(actor.generate.remote(requests, SAMPLING), waiting_for="vLLM", timeout=300)
    num_forced = 0
    for prompt, group in zip(seen_prompts, groups, strict=True):
        for completion in group:
            expected = logprobs_of(model, tiny_glm, prompt, completion)
            drawn = completion.loss_mask
            np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=5e-5)
            num_forced += completion.forced
    assert num_forced > 3, "and so it goes on after inserted text"


def test_greedy_tokens_are_those_of_the_transformers_engine(
    actor: Any,
    seen_prompts: Any,
    tiny_glm: str,
    eos_token_ids: tuple[int, ...],
    transformers_engine: Callable[..., Any],
) -> None:
    other = transformers_engine(tiny_glm, eos_token_ids=eos_token_ids)
    greedy, requests = replace(SAMPLING, temperature=0.0), requests_for(seen_prompts, 0)
    found = fetch(actor.generate.remote(requests, greedy), waiting_for="vLLM", timeout=300)
    for (one,), (two,) in zip(found, other.generate(requests, greedy), strict=True):
        assert one.token_ids.tolist() == two.token_ids.tolist()


def test_a_picture_goes_by_its_digest_and_is_hashed_by_nobody(
    actor: Any, seen_prompts: Any
) -> None:
    ray.get(actor.__ray_call__.remote(noting_hashes()))
    fetch(
        actor.generate.remote(requests_for(seen_prompts, 5, 6), SAMPLING),
        waiting_for="",
        timeout=300,
    )
    digests, num_hashed = ray.get(actor.__ray_call__.remote(lambda actor: actor.notes))
    pictures = {image.digest for prompt in seen_prompts for image in prompt.images}
    assert set(digests) == pictures
    assert num_hashed == 0


def test_a_new_vision_tower_sees_the_same_picture_anew(
    actor: Any, seen_prompts: Any, tiny_glm: str
) -> None:
    """What vLLM keeps of a picture was computed by the weights before."""
    model = load_model(tiny_glm, "float32").eval()
    before = fetch(
        actor.generate.remote(requests_for(seen_prompts, 1), SAMPLING), waiting_for="", timeout=300
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "visual" in name and parameter.ndim > 1:
                parameter.mul_(1.5)
    probe_prompt = Renderer.load(tiny_glm, max_prompt_tokens=500).probe()
    row = torch.from_numpy(probe_prompt.token_ids)[None]
    read = PromptReader(model, tiny_glm).inputs(
        row, torch.ones_like(row).bool(), probe_prompt.images
    )
    with torch.no_grad():
        logits = model(**read.arguments, use_cache=False).logits[0, :-1]
    logprobs = logits.log_softmax(-1).gather(-1, row[0, 1:, None])[:, 0].numpy()
    weights = {name: to_array(parameter) for name, parameter in model.named_parameters()}
    publication = Publication(
        buckets=(ray.put(weights),),
        probe=ray.put(Probe(prompt=probe_prompt, logprobs=logprobs, dtype="float32")),
    )
    fetch(actor.load_weights.remote(1, publication), waiting_for="", timeout=300)
    after = fetch(
        actor.generate.remote(requests_for(seen_prompts, 1), SAMPLING), waiting_for="", timeout=300
    )
    for prompt, (old,), (new,) in zip(seen_prompts, before, after, strict=True):
        drawn = new.loss_mask
        expected = logprobs_of(model, tiny_glm, prompt, new)
        np.testing.assert_allclose(new.logprobs[drawn], expected[drawn], atol=5e-5)
        changed = not np.allclose(old.logprobs[:1], new.logprobs[:1], atol=1e-6)
        assert changed == bool(prompt.images)


@pytest.mark.stress  # an engine of its own
def test_without_pictures_there_is_no_vision_tower(
    tiny_glm: str, eos_token_ids: tuple[int, ...], start_vllm: Callable[..., Any], seen_prompts: Any
) -> None:
    """Nor room made for one; the learner's weights for it come, and are passed over."""
    model = load_model(tiny_glm, "float32").eval()
    blind = start_vllm(tiny_glm, eos_token_ids)
    assert ray.get(blind.__ray_call__.remote(naming_parameters())) & {"visual"} == set()
    probe_prompt = Renderer.load(tiny_glm, max_prompt_tokens=500).probe(with_image=False)
    assert probe_prompt.images == ()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    row = torch.from_numpy(probe_prompt.token_ids)[None]
    with torch.no_grad():
        logits = model(row).logits[0, :-1]
    logprobs = logits.log_softmax(-1).gather(-1, row[0, 1:, None])[:, 0].numpy()
    publication = Publication(
        buckets=(ray.put({name: to_array(each) for name, each in model.named_parameters()}),),
        probe=ray.put(Probe(prompt=probe_prompt, logprobs=logprobs, dtype="float32")),
    )
    fetch(blind.load_weights.remote(1, publication), waiting_for="", timeout=300)
    (text,) = [prompt for prompt in seen_prompts if not prompt.images]
    ((one,),) = fetch(
        blind.generate.remote(requests_for([text], 1), SAMPLING), waiting_for="", timeout=300
    )
    expected = logprobs_of(model, tiny_glm, text, one)
    drawn = one.loss_mask
    np.testing.assert_allclose(one.logprobs[drawn], expected[drawn], atol=5e-5)


# An actor cannot import this file: what it is to run is within a function, and goes to it whole.


def naming_parameters() -> Callable[[Any], set[str]]:
    """Names the parts of all parameters' dotted names."""

    def name_them(actor: Any) -> set[str]:
        worker = actor.engine.llm.llm_engine.model_executor.driver_worker.worker
        names = [name for name, _ in worker.model_runner.model.named_parameters()]
        return {part for name in names for part in name.split(".")}

    return name_them


def noting_hashes() -> Callable[[Any], None]:
    """Notes under which digests pictures come, and how often vLLM hashes one itself."""

    def note(actor: Any) -> None:
        from PIL.Image import Image as PilImage
        from vllm.multimodal.hasher import MultiModalHasher

        digests: list[str] = []
        actor.notes = [digests, 0]
        engine, hash_one = actor.engine.llm.llm_engine, MultiModalHasher.hash_kwargs
        add = engine.add_request

        def noting(name: str, prompt: Any, *arguments: Any, **named: Any) -> Any:
            digests.extend(prompt.get("multi_modal_uuids", {}).get("image", ()))
            return add(name, prompt, *arguments, **named)

        def counting(*arguments: Any, **named: Any) -> Any:
            actor.notes[1] += any(isinstance(value, PilImage) for value in named.values())
            return hash_one(*arguments, **named)

        engine.add_request, MultiModalHasher.hash_kwargs = noting, counting

    return note
