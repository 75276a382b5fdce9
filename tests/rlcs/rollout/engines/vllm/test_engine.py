"""The vLLM engine draws what the model says, and serves one whole version of it or none.

One vLLM in one actor for the whole file: it takes most of a minute to start. Its model has tied
embeddings, the layer that vLLM's reload alone leaves at old values on a CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest
import ray
import torch
import transformers
from scipy.stats import chisquare

from rlcs.cluster.fetch import fetch
from rlcs.errors import EngineError, PackageMissingError
from rlcs.model.weights import Probe, Publication, Weights, load_arrays, to_array
from rlcs.rollout.actors import check_engine_package
from rlcs.rollout.engine import GroupRequest, Sampling
from rlcs.types import Completion, FinishReason, Prompt

SAMPLING = Sampling(
    temperature=1.0, max_thinking_tokens=30, max_answer_tokens=10, force_answer="</think><answer>"
)
EOS = (5, 50, 90, 130, 200, 260)
LENGTHS = (3, 41, 70, 70, 1, 64)
ATOL = 2e-5


@pytest.fixture(scope="module")
def model_path(tiny_model: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model whose output layer is its embedding."""
    folder = tmp_path_factory.mktemp("tied")
    torch.manual_seed(0)
    config = transformers.AutoConfig.from_pretrained(tiny_model)
    config.tie_word_embeddings = True
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def model(model_path: str) -> Any:
    """The same model as transformers has it."""
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
    return loaded.eval()


@pytest.fixture(scope="module")
def actor(model_path: str, start_vllm: Callable[..., Any]) -> Any:
    return start_vllm(model_path, EOS)


@pytest.fixture(scope="module")
def generate(actor: Any) -> Callable[..., list[tuple[Completion, ...]]]:
    def ask(requests: Sequence[GroupRequest], sampling: Sampling = SAMPLING) -> Any:
        return fetch(actor.generate.remote(requests, sampling), waiting_for="vLLM", timeout=300)

    return ask


@pytest.fixture(scope="module")
def requests(make_request: Callable[..., GroupRequest]) -> list[GroupRequest]:
    """Groups of one to six rows."""
    return [
        make_request(problem, length, tuple(range(100 * problem, 100 * problem + 1 + problem)))
        for problem, length in enumerate(LENGTHS)
    ]


@pytest.mark.long
@pytest.mark.parametrize("temperature", [0.0, 0.6, 1.0])
def test_logprobs_are_those_of_the_policy(
    temperature, requests, generate, model, full_logprobs
) -> None:
    groups = generate(requests, replace(SAMPLING, temperature=temperature))
    assert [len(group) for group in groups] == [1, 2, 3, 4, 5, 6]
    for request, group in zip(requests, groups, strict=True):
        for completion in group:
            assert completion.problem_id == request.prompt.problem_id
            expected = full_logprobs(model, request.prompt, completion, temperature or 1.0)
            drawn = completion.loss_mask
            np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=ATOL)


@pytest.mark.long
def test_greedy_tokens_are_those_of_the_transformers_engine(
    requests, generate, model_path, transformers_engine
) -> None:
    other = transformers_engine(model_path, eos_token_ids=EOS)
    greedy = replace(SAMPLING, temperature=0.0)
    pairs = zip(generate(requests, greedy), other.generate(requests, greedy), strict=True)
    for found, expected in pairs:
        for one, two in zip(found, expected, strict=True):
            assert one.token_ids.tolist() == two.token_ids.tolist()
            assert one.loss_mask.tolist() == two.loss_mask.tolist()
            assert (one.text, one.finish_reason) == (two.text, two.finish_reason)


@pytest.mark.long
def test_seeds_choose_the_tokens(generate, make_request) -> None:
    request = make_request(1, 9, tuple(range(60)))
    (first,), (again,) = generate([request]), generate([request])
    assert [c.token_ids.tolist() for c in first] == [c.token_ids.tolist() for c in again]
    long = [tuple(completion.token_ids) for completion in first if len(completion.token_ids) > 5]
    assert len(set(long)) == len(long) > 30
    huge = replace(request, seeds=(2**63 - 1, 2**63 - 2, 5))
    (group,) = generate([huge])
    assert group[2].token_ids.tolist() == first[5].token_ids.tolist(), "in another batch"


@pytest.mark.long
def test_frequencies_match_the_probabilities(generate, make_request, model) -> None:
    number, temperature = 3000, 1.3
    request = make_request(1, 9, tuple(range(number)))
    sampling = Sampling(temperature=temperature, max_thinking_tokens=1, max_answer_tokens=0)
    (group,) = generate([request], sampling)
    with torch.no_grad():
        logits = model(torch.from_numpy(request.prompt.token_ids)[None]).logits[0, -1]
    probabilities = (logits.double() / temperature).softmax(-1).numpy()
    counts = np.bincount([completion.token_ids[0] for completion in group], minlength=406)
    bins = np.arange(406) % 40
    found, expected = (np.bincount(bins, weights) for weights in (counts, probabilities * number))
    assert chisquare(found, expected).pvalue > 1e-3


@pytest.mark.long
def test_thinking_is_closed_at_its_budget(
    generate, make_request, tokenizer, model, full_logprobs
) -> None:
    budget, answer, text = 12, 5, "\nTime is up.</think>\n<answer>"
    force_ids = tokenizer.encode(text, add_special_tokens=False)
    sampling = replace(
        SAMPLING, max_thinking_tokens=budget, max_answer_tokens=answer, force_answer=text
    )
    request = make_request(3, 7, tuple(range(300)))
    (group,), (free,) = (
        generate([request], each) for each in (sampling, replace(sampling, force_answer=None))
    )
    counts = {"closed": 0, "forced": 0, "ended": 0}
    for completion, unforced in zip(group, free, strict=True):
        assert completion.token_ids[:budget].tolist() == unforced.token_ids[:budget].tolist()
        assert not unforced.forced
        stopped = completion.finish_reason is FinishReason.STOP
        num_drawn = int(completion.loss_mask.sum())
        shown = completion.token_ids[:-1] if stopped else completion.token_ids
        assert completion.text == tokenizer.decode(shown, skip_special_tokens=False)
        assert (completion.token_ids[-1] in EOS) if stopped else (num_drawn == budget + answer)
        expected = full_logprobs(model, request.prompt, completion)
        drawn = completion.loss_mask
        np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=ATOL)
        if stopped and len(completion.token_ids) <= budget:
            counts["ended"] += 1
        elif "</think>" in tokenizer.decode(completion.token_ids[:budget]):
            counts["closed"] += 1
            assert not completion.forced
        else:
            counts["forced"] += 1
            end = budget + len(force_ids)
            assert completion.token_ids[budget:end].tolist() == force_ids
            assert np.flatnonzero(~drawn).tolist() == list(range(budget, end))
            assert (completion.logprobs[budget:end] == 0).all()
            assert len(completion.token_ids) > end, "the model goes on after what was inserted"
    assert counts["forced"] > 50
    assert counts["ended"] > 10
    assert counts["closed"] > 0


@pytest.mark.long
def test_nothing_asked_nothing_drawn(generate, make_request) -> None:
    assert generate([]) == []
    assert generate([make_request(0, 5, ())]) == [()]


def changed(model: Any, seed: int) -> Weights:
    draw = np.random.default_rng(seed)
    return {
        name: to_array(parameter) + draw.normal(0, 0.05, parameter.shape).astype(np.float32)
        for name, parameter in model.named_parameters()
    }


def model_with(weights: Weights, model_path: str) -> Any:
    other: Any = transformers.AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
    load_arrays(dict(other.named_parameters()), [weights])
    return other.eval()


def probe_of(model: Any) -> Probe:
    token_ids = np.arange(11, 60)
    row = torch.from_numpy(token_ids)[None]
    with torch.no_grad():
        logprobs = model(row).logits[0, :-1].log_softmax(-1).gather(-1, row[0, 1:, None])[:, 0]
    prompt = Prompt(problem_id="probe", token_ids=token_ids)
    return Probe(prompt=prompt, logprobs=logprobs.numpy(), dtype="float32")


def publication(weights: Weights, probe: Probe) -> Publication:
    """In three buckets."""
    names = list(weights)
    return Publication(
        buckets=tuple(ray.put({name: weights[name] for name in names[i::3]}) for i in range(3)),
        probe=ray.put(probe),
    )


def without_the_last(weights: Weights) -> Weights:
    return dict(list(weights.items())[:-1])


def misshapen(weights: Weights) -> Weights:
    name = "model.layers.1.mlp.down_proj.weight"
    return {**weights, name: weights[name][:-1]}


def foreign(weights: Weights) -> Weights:
    return {**weights, "visual.patch.weight": np.zeros(3, dtype=np.float32)}


BROKEN = [
    pytest.param(without_the_last, "1 did not come", id="missing"),
    pytest.param(lambda weights: {}, "did not come", id="nothing at all"),
    pytest.param(misshapen, "did not take the weights of version 8", id="wrong shape"),
    pytest.param(foreign, "did not take the weights of version 8", id="unknown name"),
    pytest.param(
        lambda weights: {name: array * 1.05 for name, array in weights.items()},
        "does not serve the weights that were published",
        id="not what the learner has",
    ),
]


@pytest.mark.long
@pytest.mark.parametrize(("broken", "message"), BROKEN)
def test_a_whole_version_or_none(
    broken, message, actor, generate, requests, model, model_path, full_logprobs
) -> None:
    weights = changed(model, seed=len(message))
    other = model_with(weights, model_path)
    probe = probe_of(other)
    load = actor.load_weights.remote(8, publication(broken(weights), probe))
    with pytest.raises(EngineError, match=message):
        fetch(load, waiting_for="vLLM", timeout=300)
    with pytest.raises(EngineError, match="no complete version"):
        generate(requests)

    fetch(actor.load_weights.remote(9, publication(weights, probe)), waiting_for="", timeout=300)
    groups = generate(requests)
    for request, group in zip(requests, groups, strict=True):
        for completion in group:
            assert completion.policy_version == 9
            expected = full_logprobs(other, request.prompt, completion)
            drawn = completion.loss_mask
            np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=ATOL)


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    check_engine_package("transformers")
    with pytest.raises(PackageMissingError, match=r"pip install 'rlcs\[vllm\]'"):
        check_engine_package("vllm")


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (point,) = (each for each in entry_points(group="vllm.general_plugins") if each.name == "rlcs")
    assert point.value == "rlcs.rollout.engines.vllm.plugin:register"


@pytest.mark.long
def test_a_group_reads_its_prompt_once_and_never_under_old_weights(
    actor, generate, make_request, model, model_path
) -> None:
    request = make_request(7, 80, tuple(range(5)))
    ray.get(actor.__ray_call__.remote(note_cached_tokens))

    def cached() -> list[int]:
        generate([request], replace(SAMPLING, max_thinking_tokens=2, max_answer_tokens=0))
        return sorted(ray.get(actor.__ray_call__.remote(take_notes)))

    first, again = cached(), cached()
    assert first[0] == 0
    assert first[1:] == [64] * 4, "whole blocks of 32 tokens"
    assert again == [64] * 5
    weights = changed(model, seed=1)
    probe = probe_of(model_with(weights, model_path))
    fetch(actor.load_weights.remote(10, publication(weights, probe)), waiting_for="", timeout=300)
    assert cached()[0] == 0


@pytest.mark.long
def test_it_takes_in_more_while_it_samples(actor, make_request) -> None:
    """And what shares a batch depends on the work alone: the same calls repeat to the bit."""
    first, second = make_request(1, 20, tuple(range(12))), make_request(2, 30, (3, 4, 5))

    def work(*items: Any, num_left: int) -> Any:
        return fetch(actor.work.remote(items, num_left), waiting_for="vLLM", timeout=300)

    def calls() -> dict[int, Any]:
        ray.get(actor.__ray_call__.remote(forget_what_was_read))
        begun = work((0, [first], SAMPLING), (1, [make_request(3, 9, ())], SAMPLING), num_left=6)
        assert list(begun.answers) == [1], "nothing was asked there"
        assert 0 < begun.num_open <= 6, "the first item goes on"
        ended = work((2, [second], SAMPLING), num_left=0)
        assert ended.num_open == 0
        return ended.answers

    found, again = calls(), calls()
    assert set(found) == set(again) == {0, 2}
    for key, request in ((0, first), (2, second)):
        (group,) = found[key]
        assert len(group) == len(request.seeds)
        for one, other in zip(group, again[key][0], strict=True):
            assert one.token_ids.tolist() == other.token_ids.tolist()
            assert one.logprobs.tobytes() == other.logprobs.tobytes()


@pytest.mark.long
def test_what_was_taken_in_can_be_given_up(actor, generate, make_request) -> None:
    request = make_request(4, 9, tuple(range(8)))
    (expected,) = generate([request])
    work = actor.work.remote([(7, [request], SAMPLING), (8, [], SAMPLING)], 8)
    assert ray.get(work).num_open > 0
    ray.get(actor.drop_work.remote())
    (group,) = generate([request])
    assert [c.token_ids.tolist() for c in group] == [c.token_ids.tolist() for c in expected]


@pytest.mark.long
def test_weights_that_went_in_sleep_come_back_before_the_cache(
    actor, generate, make_request, model, model_path, full_logprobs
) -> None:
    """On a CPU, where nothing moves: vLLM is told what it is told on a GPU, in that order."""
    request = make_request(7, 9, (1, 2, 3))
    weights = changed(model, seed=2)
    other = model_with(weights, model_path)
    ray.get(actor.__ray_call__.remote(note_what_vllm_is_told))
    ray.get([actor.sleep.remote(), actor.wake.remote()], timeout=60)
    with pytest.raises(EngineError, match="no complete version"):
        generate([request])
    load = actor.load_weights.remote(11, publication({}, probe_of(other)))
    with pytest.raises(EngineError, match="did not come"):
        fetch(load, waiting_for="vLLM", timeout=300)
    with pytest.raises(EngineError, match="no complete version"):
        generate([request])
    load = actor.load_weights.remote(12, publication(weights, probe_of(other)))
    fetch(load, waiting_for="vLLM", timeout=300)
    (group,) = generate([request])
    for completion in group:
        expected = full_logprobs(other, request.prompt, completion)
        drawn = completion.loss_mask
        np.testing.assert_allclose(completion.logprobs[drawn], expected[drawn], atol=ATOL)
    told = ray.get(actor.__ray_call__.remote(what_vllm_was_told))
    update = ["start_weight_update", "finish_weight_update"]
    assert told == ["sleep 2", "wake_up weights", *update, *update, "wake_up kv_cache"]


def note_cached_tokens(actor: Any) -> None:
    actor.notes = []
    step = actor.engine.llm.llm_engine.step

    def noting() -> Any:
        outputs = step()
        actor.notes += [output.num_cached_tokens for output in outputs]
        return outputs

    actor.engine.llm.llm_engine.step = noting


def take_notes(actor: Any) -> list[int]:
    notes, actor.notes = actor.notes, []
    return notes


def forget_what_was_read(actor: Any) -> None:
    actor.engine._forget_what_was_read()


def note_what_vllm_is_told(actor: Any) -> None:
    actor.told, llm = [], actor.engine.llm

    def noted(name: str) -> Any:
        own = getattr(llm, name)

        def noting(*arguments: Any, **named: Any) -> Any:
            tags = arguments[0] if arguments and name == "wake_up" else ()
            actor.told.append(" ".join([name, *tags, *map(str, named.values())]))
            return own(*arguments, **named)

        return noting

    for name in ("sleep", "wake_up", "start_weight_update", "finish_weight_update"):
        setattr(llm, name, noted(name))


def what_vllm_was_told(actor: Any) -> list[str]:
    return actor.told
