"""Configurations: what is read, what is refused and in which words, what is written back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcs.config import (
    DataSection,
    GradeConfig,
    RunConfig,
    SftConfig,
    SourceSection,
    config_differences,
    load_config,
    write_config,
)
from rlcs.config.yaml_dialect import read_yaml
from rlcs.errors import ConfigError

REPOSITORY = Path(__file__).parents[3]
MINIMAL = "model: {path: m}\ndata: {train: [{path: a.jsonl}, {path: b.jsonl}]}\n"


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(MINIMAL)
    return path


def refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(path, overrides, kind=RunConfig)
    assert "pydantic" not in str(caught.value)
    return str(caught.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=25)
@given(
    knobs=st.dictionaries(st.text(), JSON_VALUES, max_size=4),
    prompt=st.none() | st.text(),
    rate=st.floats(min_value=1e-12, max_value=1.0),
)
def test_a_written_configuration_loads_equal(
    tmp_path_factory: pytest.TempPathFactory, knobs: dict[str, Any], prompt: str, rate: float
) -> None:
    source = SourceSection(reasoning_gym="chain_sum", knobs=knobs, system_prompt=prompt)
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    for kind, tree in (
        (RunConfig, {"learner": {"learning_rate": rate}}),
        (SftConfig, {"sft": {"learning_rate": rate}, "output": "here"}),
    ):
        data = DataSection(train=[source]).model_dump()
        config = kind.model_validate({"model": {"path": "m"}, "data": data, **tree})
        write_config(config, path)
        assert load_config(path, kind=kind) == config


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("learner.learning_rate=1e-4", lambda c: c.learner.learning_rate, 1e-4),
        ("learner.clip_high=1", lambda c: c.learner.clip_high, 1.0),
        ("data.train.1.limit=10", lambda c: c.data.train[1].limit, 10),
        ("data.train.0.path=x=y.jsonl", lambda c: c.data.train[0].path, "x=y.jsonl"),
        ("data.heldout=[{path: h.jsonl}]", lambda c: c.data.heldout[0].path, "h.jsonl"),
        ("rollout.force_answer=null", lambda c: c.rollout.force_answer, None),
        ("scoring.domains.math.pass_mark=0.5", lambda c: c.scoring.pass_marks()["math"], 0.5),
        ("curriculum.discount=0.5", lambda c: c.curriculum.discount, 0.5),
        ("curriculum.discount=0.5", lambda c: c.curriculum.kind, "rlcs"),
        ("run.name='007'", lambda c: c.run.name, "007"),
    ],
)
def test_overrides(config_path: Path, override: str, read: Any, value: Any) -> None:
    assert read(load_config(config_path, [override], kind=RunConfig)) == value


def test_an_override_leaves_other_aliases_alone(config_path: Path) -> None:
    config_path.write_text("model: {path: m}\ndata: {train: [&a {path: a}], heldout: [*a]}")
    config = load_config(config_path, ["data.train.0.limit=3"], kind=RunConfig)
    assert (config.data.train[0].limit, config.data.heldout[0].limit) == (3, None)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "learner.lerning_rate=1",
            "learner.lerning_rate: unknown key. Did you mean learning_rate?",
        ),
        ("learner.lerning_rate=1", "Known keys of learner: num_ranks, zero_stage,"),
        ("learner.num_steps=1", "learner.num_steps: unknown key. Did you mean run.num_steps?"),
        ("model.image_tokens={min: 9, max: 8}", "expected min to be at most max, found 9 and 8"),
        ("model.image_tokens={}", "expected min, max or both, found neither"),
        ("model.image_tokens={max: 0}", "model.image_tokens.max: expected"),
        ("data.video.max_frames=3", "data.video.max_frames: expected"),
        ("data.train.1.colums.id=x", "data.train.1.colums: unknown key. Did you mean columns?"),
        (
            "scoring.domains.math.settings.allow_restating='no'",
            "scoring.domains.math.settings.allow_restating: expected true or false, found the text",
        ),
        (
            "scoring.domains.charts.settings.tolerance='0.5'",
            "scoring.domains.charts.settings.tolerance: expected a number, found the text '0.5'.",
        ),
        (
            "scoring.domains.charts.settings.tolerance=2",
            "scoring.domains.charts.settings.tolerance: expected a number below 1, found 2.",
        ),
        (
            "scoring.domains.charts.settings.tolerence=0.1",
            "tolerence: unknown key. Did you mean tolerance? Known keys of scoring.domains.charts",
        ),
        (
            "scoring.domains.charts={verifier: 'a:b', settings: {tolerance: 0.1}}",
            "scoring.domains.charts: expected verifier or settings, found both",
        ),
        (
            "scoring.domains.mine.settings={a: 1}",
            "scoring.domains.mine.settings: unknown key. Known keys of scoring.domains.mine: pass",
        ),
        ("scoring.domains.mine.verifer=x", "scoring.domains.mine.verifer: unknown key. Did you"),
        ("scoring.domains.math.pasmark=1", "Did you mean pass_mark? Known keys of scoring.domains"),
        (
            "curriculum={kind: static, carry_over: true}",
            "curriculum.carry_over: unknown key. Known keys of curriculum: kind, tiers,",
        ),
        ("curriculum.discont=1", "curriculum.discont: unknown key. Did you mean discount?"),
        ("curriculum.discount='0.5'", "curriculum.discount: expected a number, found the text"),
        ("curriculum.discount=2", "curriculum.discount: expected a number not above 1, found 2."),
        ("curriculum.min_gap=true", "curriculum.min_gap: expected a whole number, found true."),
        ("curriculum.min_gap=1.5", "curriculum.min_gap: expected a whole number, found 1.5."),
        ("curriculum.carry_over='no'", "curriculum.carry_over: expected true or false, found"),
        ("curriculum.tiers=[1, 2]", "curriculum.tiers.0: expected text, found 1."),
        ("curriculum.boundaries=[0.5, 2]", "curriculum.boundaries.1: expected a number below 1,"),
        ("curriculum.domains=best", "curriculum.domains: expected 'free', 'fixed' or 'progress',"),
        ("runn.seed=1", "runn: unknown key. Did you mean run? Known keys of a configuration: run,"),
        ("run.num_steps=ten", "run.num_steps: expected a whole number, found the text 'ten'."),
        ("run.num_steps=1.5", "run.num_steps: expected a whole number, found 1.5."),
        ("run.num_steps=0", "run.num_steps: expected a number not below 1, found 0."),
        ("run.name=007", "run.name: expected text, found 7."),
        ("run.name=a b", "run.name: expected text that matches"),
        ("rollout.temperature=true", "rollout.temperature: expected a number, found true."),
        ("rollout.temperature=.inf", "rollout.temperature: expected a finite number, found inf."),
        ("rollout.temperature=0", "rollout.temperature: expected a number above 0"),
        ("learner.beta1=1", "learner.beta1: expected a number below 1"),
        ("learner.zero_stage=4", "learner.zero_stage: expected 0, 1, 2 or 3, found 4."),
        ("learner.normalise_advantages=yes", "expected true or false, found the text 'yes'."),
        ("model.path=", "model.path: expected text, found nothing (null)."),
        ("model=null", "model: expected a section (a mapping of keys to values), found nothing"),
        ("model={}", "model.path: expected text, found nothing: this key has no default."),
        ("data.train={}", "data.train: expected a list, found an empty section."),
        ("data.train=[]", "data.train: expected a list with at least 1 entry, found a list of 0."),
        ("data.train.0.hub=x", "expected exactly one of path, hub, reasoning_gym; found path and"),
        ("data.train.0.reference_pattern=(", "reference_pattern: expected a regular expression,"),
        ("data.train.0.reference_pattern=x", "expected a regular expression with a group"),
        ("data.train.0.columns.question=null", "expected question or messages to name a column"),
        ("curriculum.kind=magic", "curriculum.kind: expected one of "),
        ("curriculum.kind=magic", "found 'magic'."),
        ("data={}", "data.train: expected a list, found nothing: this key has no default."),
        ("data.train.7.limit=1", "the list data.train, which has indices 0 to 1; found '7'."),
        ("data.train.x=1", "the list data.train, which has indices 0 to 1; found 'x'."),
        ("model.path.x=1", "expected model.path to be a section or a list, found the text 'm'."),
        ("run.seed", "override 'run.seed': expected key.path=value."),
        ("run..seed=1", "override 'run..seed=1': expected key.path=value."),
        ("run={seed: 1, seed: 2}", "line 1: the key 'seed' was already given on line 1."),
        ("run.seed=[", "override 'run.seed=[', line 1, column 2: expected YAML"),
    ],
)
def test_refusals_say_what_was_expected_and_found(
    config_path: Path, override: str, said: str
) -> None:
    assert said in refusal(config_path, override)


def test_a_batch_that_does_not_divide_is_explained(config_path: Path) -> None:
    said = refusal(config_path, "run.groups_per_step=33", "learner.updates_per_step=2")
    assert "33 / 2 = 16.50. Use 32 or 34 groups, or a number of updates that divides 33." in said


def test_all_problems_are_in_one_message(config_path: Path) -> None:
    config_path.write_text(MINIMAL + "model: {path: twice}\nrun: {seed: -1, sede: 2}\n")
    said = refusal(config_path, "nonsense", "tracking.wandb_project=1").splitlines()
    assert said[0] == f"{config_path}: 5 problems"
    assert "line 3: the key 'model' was already given on line 1." in said[1]
    assert "override 'nonsense'" in said[2]
    assert {line.split(":")[0].strip() for line in said[3:]} == {
        "run.seed",
        "run.sede",
        "tracking.wandb_project",
    }


@pytest.mark.parametrize(
    ("engine", "device", "option", "refused"),
    [
        ("vllm", "auto", "tensor_parallel_size=2", None),
        ("vllm", "cpu", "tensor_parallel_size=2", None),
        ("transformers", "auto", "tensor_parallel_size=2", "needs vLLM, but"),
        ("vllm", "auto", "transfer=nccl", None),
        ("vllm", "cpu", "transfer=nccl", "needs vLLM on GPUs"),
        ("transformers", "auto", "transfer=nccl", "needs vLLM on GPUs"),
    ],
)
def test_what_only_vllm_has_and_what_only_on_gpus(
    engine: str, device: str, option: str, refused: str | None, config_path: Path
) -> None:
    asked = (f"rollout.engine={engine}", f"hardware.device={device}", f"rollout.vllm.{option}")
    if refused:
        assert refused in refusal(config_path, *asked)
    else:
        load_config(config_path, asked, kind=RunConfig)


@pytest.mark.parametrize(
    ("overrides", "demanded", "reason"),
    [
        ([], True, "the embedded engine cuts its batches by it"),
        (["rollout.engine=vllm", "hardware.device=cuda"], False, "vLLM fills the GPU"),
        (["rollout.engine=vllm", "hardware.device=cpu"], True, "it sizes vLLM's cache"),
        (
            ["rollout.engine=vllm", "hardware.device=cpu", "rollout.vllm.cache_gib=1"],
            False,
            "the cache has a size of its own",
        ),
        (["rollout.engine=vllm"], False, "only the cluster tells whether there are GPUs"),
    ],
)
def test_batch_tokens_count_where_an_engine_reads_them(
    overrides: list[str], demanded: bool, reason: str, config_path: Path
) -> None:
    changes = [*overrides, "rollout.batch_tokens=10"]
    if demanded:
        assert "Raise rollout.batch_tokens to 1088 or more" in refusal(config_path, *changes)
    else:
        assert load_config(config_path, changes, kind=RunConfig), reason


def test_batch_tokens_do_not_count_where_endpoints_are_graded(tmp_path: Path) -> None:
    endpoint = "{name: large, endpoint: {base_url: 'http://localhost:1', model: large}}"
    ours = "{name: small, path: none}"
    path = tmp_path / "grade.yaml"
    text = "data: {train: [{path: p.jsonl}]}\nrollout: {batch_tokens: 10}\nmodels: "
    path.write_text(f"{text}[{endpoint}]\n")
    load_config(path, kind=GradeConfig)
    path.write_text(f"{text}[{endpoint}, {ours}]\n")
    with pytest.raises(ConfigError, match=r"Raise rollout\.batch_tokens to 1088 or more"):
        load_config(path, kind=GradeConfig)


def test_adapters_do_not_go_from_gpu_to_gpu(config_path: Path) -> None:
    asked = ("rollout.engine=vllm", "rollout.vllm.transfer=cuda_ipc", "learner.lora={rank: 4}")
    assert "trains adapters alone" in refusal(config_path, *asked)


def test_problems_across_sections_are_all_told(config_path: Path) -> None:
    said = refusal(
        config_path,
        "run.groups_per_step=33",
        "learner.updates_per_step=2",
        "rollout.batch_tokens=10",
    )
    assert said.startswith(f"{config_path}: 2 problems")
    assert "Raise rollout.batch_tokens to 1088 or more." in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run:\n  seed: 1\n bad\n", "line 3"),
        ("run: [1, 2\nmodel: x\n", "line 2"),
        ("a: 1\n\tb: 2\n", "line 2"),
        ("a: \x00", "line 1: expected YAML, found the character '\\x00'"),
        ("a: !!python/name:os.system\n", "line 1, column 4"),
        ("a: &x [*x]\n", "expected a tree, found one without an end"),
        ("", "expected sections (run, model, data,"),
        ("- 1\n", "found a list of 1."),
        ("words", "found the text 'words'."),
    ],
)
def test_broken_files_are_named_by_line(config_path: Path, text: str, said: str) -> None:
    config_path.write_text(text)
    message = refusal(config_path)
    assert message.startswith(str(config_path))
    assert said in message


def test_missing_files(tmp_path: Path) -> None:
    assert "expected a YAML file, found nothing there" in refusal(tmp_path / "no.yaml")
    assert "expected a YAML file, found a folder" in refusal(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    assert "expected text in UTF-8" in refusal(tmp_path / "latin.yaml")


def test_differences_name_the_dotted_key(config_path: Path) -> None:
    old = load_config(config_path, kind=RunConfig)
    changed = [
        "run.num_steps=7",
        "data.train.1.limit=5",
        "data.heldout=[{path: h.jsonl}]",
        "scoring.domains.math.pass_mark=1",
    ]
    new = load_config(config_path, changed, kind=RunConfig)
    assert config_differences(old, old) == []
    assert config_differences(old, new) == [
        "run.num_steps: 100 -> 7",
        "data.train.1.limit: None -> 5",
        "data.heldout: a list of 0 -> a list of 1",
        "scoring.domains.math: (absent) -> a section with pass_mark, verifier, settings",
    ]


def test_settings_of_verifiers_reach_them_and_are_written_back(
    config_path: Path, tmp_path: Path
) -> None:
    changes = ["scoring.domains.charts.settings.tolerance=0.1", "scoring.domains.own.verifier=a:b"]
    config = load_config(config_path, changes, kind=RunConfig)
    assert config.scoring.verifier_settings()["charts"]["tolerance"] == 0.1
    assert config.scoring.custom_verifiers() == {"own": "a:b"}
    write_config(config, tmp_path / "written.yaml")
    assert load_config(tmp_path / "written.yaml", kind=RunConfig) == config
    written, _ = read_yaml((tmp_path / "written.yaml").read_text(), "written")
    assert {"charts", "own"} <= set(written["scoring"]["domains"]), "and no domain unnamed"
    assert "gui" not in written["scoring"]["domains"]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "configs").glob("*.yaml")), ids=str)
def test_shipped_configurations_load(path: Path) -> None:
    kinds = {"sft": SftConfig, "grade": GradeConfig}
    config = load_config(path, kind=kinds.get(path.stem.rpartition("_")[2], RunConfig))
    assert config.data.train


def test_importing_the_configuration_stays_light() -> None:
    heavy = ["torch", "transformers", "datasets", "ray", "deepspeed", "reasoning_gym"]
    code = f"import rlcs.config, sys; print({set(heavy)} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert shown.stdout.strip() == "set()"


def test_a_cold_start_from_thinking_alone_has_no_marker(tmp_path: Path) -> None:
    path = tmp_path / "sft.yaml"
    path.write_text(
        "output: o\nmodel: {path: m}\nscoring: {extraction: {rule: marker}}\n"
        "data: {train: [{path: a.jsonl, columns: {thinking: t}}]}\n"
    )
    with pytest.raises(ConfigError, match=r"data\.train\.0: expected whole responses"):
        load_config(path, kind=SftConfig)
    load_config(path, ["data.train.0.columns.response=r"], kind=SftConfig)
    load_config(path, ["scoring.extraction.rule=last_number"], kind=SftConfig)
