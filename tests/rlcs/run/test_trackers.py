"""What services are sent: numbers, completions and pictures, each by its own mechanisms."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from made_groups import make_group

from curricula import Fate
from rlcs.config import TrackingSection
from rlcs.errors import ConfigError, PackageMissingError
from rlcs.run.batch import Batch
from rlcs.run.log import RunLog, flatten_numbers
from rlcs.run.prometheus import PrometheusTracker, gauge_name
from rlcs.run.samples import COLUMNS, EVERY_STEPS, LONGEST_SIDE, MOST_GROUPS, Samples, samples_of
from rlcs.run.trackers import (
    MlflowTracker,
    TrackioTracker,
    WandbTracker,
    as_markdown,
    check_packages,
    make_trackers,
)
from rlcs.training.step_row import Stopwatch, step_row
from rlcs.types import Image, RolloutGroup, StepReport

HOSTILE = "# title\n<script>x</script>\n```\n[a](javascript:x) \x1b[2J"


def with_picture(group: RolloutGroup, *, size: tuple[int, int] = (40, 30)) -> RolloutGroup:
    """The group with a red picture in its problem, whose question is an attack."""
    stored = io.BytesIO()
    PIL.Image.new("RGB", size, (255, 0, 0)).save(stored, "PNG")
    image = Image(name="a", digest="a", width=size[0], height=size[1], stored=stored.getvalue())
    problem = dataclasses.replace(group.problem, images=(image,), question=HOSTILE)
    return dataclasses.replace(group, problem=problem)


@pytest.fixture
def samples() -> Samples:
    found = samples_of(1, [with_picture(make_group("a", "cwe")), make_group("b", "ww")])
    assert found is not None
    return found


def test_a_pass_stands_beside_a_failure(samples: Samples) -> None:
    assert [(row["problem_id"], row["passed"]) for row in samples.rows] == [
        ("a", True),
        ("a", False),
        ("b", False),
    ]
    assert [row["gen_ai.evaluation.score.label"] for row in samples.rows][:2] == [
        "correct",
        "wrong",
    ]
    assert samples.rows[0]["gen_ai.usage.input_tokens"] == 5
    assert samples.rows[0]["gen_ai.response.finish_reasons"] == "stop"
    assert [picture is not None for picture in samples.pictures] == [True, True, False]
    assert "\\u001b[2J" in samples.rows[0]["question"]


def test_what_we_failed_to_judge_has_no_score() -> None:
    found = samples_of(1, [make_group("a", "e")])
    assert found is not None
    assert found.rows[0]["gen_ai.evaluation.score.value"] is None


def test_there_are_few_and_not_in_every_step() -> None:
    groups = [make_group(str(number), "cw") for number in range(3 * MOST_GROUPS)]
    steps = [step for step in range(1, 2 * EVERY_STEPS + 2) if samples_of(step, groups)]
    assert steps == [1, EVERY_STEPS + 1, 2 * EVERY_STEPS + 1]
    found = samples_of(1, groups)
    assert found is not None
    assert len(found.rows) == 2 * MOST_GROUPS
    assert samples_of(1, []) is None


def test_a_picture_whose_file_has_gone_is_none(tmp_path: Path) -> None:
    group = with_picture(make_group())
    gone = dataclasses.replace(group.problem.images[0], stored=tmp_path / "gone.png")
    problem = dataclasses.replace(group.problem, images=(gone,))
    found = samples_of(1, [dataclasses.replace(group, problem=problem)])
    assert found is not None
    assert found.opened() == [None, None]


def test_large_pictures_are_made_smaller() -> None:
    found = samples_of(1, [with_picture(make_group("a", "c"), size=(1200, 300))])
    assert found is not None
    (image,) = found.opened()
    assert image is not None
    assert image.size == (LONGEST_SIDE, LONGEST_SIDE // 4)


def test_columns_have_the_names_of_the_convention() -> None:
    attributes = pytest.importorskip("opentelemetry.semconv._incubating.attributes").__path__[0]
    known = (Path(attributes) / "gen_ai_attributes.py").read_text()
    named = [name for name in COLUMNS if name.startswith("gen_ai.")]
    assert len(named) >= 6
    for name in named:
        assert f'"{name}"' in known, name


def test_no_text_becomes_markup(samples: Samples) -> None:
    lines = as_markdown(samples).splitlines()
    assert any("<script>" in line for line in lines)
    assert all(line.startswith("    ") for line in lines)


def test_tensorboard_gets_numbers_texts_and_pictures(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = RunLog(tmp_path, TrackingSection(), position={}, steps_done=0)
    log.write_rollouts(1, [with_picture(make_group("a", "cw"))])
    log.write_step(1, {"step": 1, "learner": {"loss": 0.5}})
    log.close()
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert events.Scalars("learner/loss")[0].value == 0.5
    assert events.Tags()["images"] == ["pictures/0", "pictures/1"]
    shown = PIL.Image.open(io.BytesIO(events.Images("pictures/0")[0].encoded_image_string))
    assert (shown.size, shown.convert("RGB").getpixel((3, 3))) == ((40, 30), (255, 0, 0))
    text = events.Tensors("completions/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "gen_ai.evaluation.score.label: correct" in text


def test_a_service_that_does_not_start_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb: Any = pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a key would be
    tracking = TrackingSection(tensorboard=False, wandb_project="none")
    with pytest.raises(ConfigError, match=r"tracking\.wandb_project is set, but wandb did not"):
        make_trackers(tracking, tmp_path, 0)
    wandb.teardown()  # it reads its environment once


def test_wandb_gets_a_table_with_pictures(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for place in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR"):
        monkeypatch.setenv(place, str(tmp_path / "data"))
    tracker = WandbTracker("project", tmp_path)
    tracker.show(samples)
    tracker.log(1, {"loss": 0.5})
    tracker.close()
    (table,) = tmp_path.rglob("completions*.table.json")
    assert json.loads(table.read_text())["columns"] == [*COLUMNS, "pictures"]
    staged = (path.read_bytes() for path in (tmp_path / "data").rglob("staging/*"))
    assert sum(content.startswith(b"\x89PNG") for content in staged) == 2


def test_mlflow_gets_tables_and_pictures(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow: Any = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    tracker = MlflowTracker("experiment", tmp_path)
    tracker.show(samples)
    tracker.log(1, {"loss": 0.5})
    tracker.close()
    (table,) = (tmp_path / "store").rglob("step_000001.json")
    assert json.loads(table.read_text())["columns"] == list(COLUMNS)
    assert len(list((tmp_path / "store").rglob("step_000001_*.png"))) == 2


def test_trackio_gets_a_table_with_pictures(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio")
    tracker = TrackioTracker("project", tmp_path)
    tracker.log(1, {"loss": 0.5})
    tracker.show(samples)
    tracker.close()
    assert list((tmp_path / "trackio").rglob("*.png"))


def whole_row() -> dict[str, Any]:
    """A row of ``steps.jsonl`` as the trainer makes it."""
    group = make_group("a", "cw")
    report = StepReport(
        loss=0.0, grad_norm=1.0, learning_rate=1e-6, num_samples=2, num_loss_tokens=4,
        num_padded_tokens=6, clip_fraction=0.0, mean_abs_log_ratio=0.0, entropy=0.5,
        mismatch=0.0, corrected_fraction=0.0,
    )  # fmt: skip
    watch = Stopwatch()
    for name in ("rollout", "learn", "publish"):
        watch.add(name, 1.0)
    batch = Batch(
        step=1,
        drawn=[group],
        candidates=[group],
        fates={"a": Fate.TRAINED},
        curriculum={"valid_rate": 1.0},
        seconds={},
    )
    return step_row(
        batch, trained=[group], version_before=0, version_after=1, reports=[report], watch=watch
    )


def test_the_grafana_board_asks_for_gauges_that_there_are() -> None:
    board = json.loads((Path(__file__).parents[3] / "rlcs" / "docs" / "grafana.json").read_text())
    wanted = {
        re.fullmatch(r"ray_(\w+)\{run=~\"\$run\"\}", target["expr"])[1]  # type: ignore[index]
        for panel in board["panels"]
        for target in panel["targets"]
    }
    made = {gauge_name(name) for name in flatten_numbers(whole_row())} | {"rlcs_step"}
    assert len(wanted) >= 10
    assert wanted <= made


def test_numbers_of_categories_are_no_gauges() -> None:
    """Their names come from the data, and Prometheus keeps every name for ever."""
    assert gauge_name("passes_by_category/sums") is None
    assert gauge_name("curriculum/tier/very easy") == "rlcs_curriculum_tier_very_easy"


def test_gauges_are_made_once_and_labelled_by_run(tmp_path: Path, samples: Samples) -> None:
    """Without a cluster Ray keeps them to itself."""
    tracker = PrometheusTracker(tmp_path / "first")
    for step in (1, 2):
        tracker.log(step, {"learner/loss": float(step)})
        tracker.show(samples)
    tracker.close()
    gauges = tracker._gauges
    assert sorted(gauges) == ["rlcs_learner_loss", "rlcs_step"]
    assert gauges["rlcs_step"].info["tag_keys"] == ("run",)


@pytest.mark.parametrize(
    ("key", "package"),
    [("wandb_project", "wandb"), ("mlflow_experiment", "mlflow"), ("trackio_project", "trackio")],
)
def test_a_missing_package_is_named(
    key: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(PackageMissingError, match=rf"tracking\.{key} .*rlcs\[{package}\]"):
        check_packages(TrackingSection(tensorboard=False, **{key: "project"}))
