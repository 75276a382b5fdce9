"""``rlcs eval --benchmark``: rows in the true layouts, asked, judged and reported."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from endpoint_server import Server, endpoint_server

from rewards import Request
from rewards.registry import Registry
from rlcs.cli.eval.benchmark_rows import QUESTIONS_NAME, write_questions
from rlcs.cli.eval.examination import tell_left_out
from rlcs.cli.eval.presets import PRESETS, preset
from rlcs.cli.eval.report import result_of, what_became
from rlcs.cli.main import main
from rlcs.data import Fault
from rlcs.errors import ConfigError, DatasetError
from rlcs.run.intervals import problem_interval

sys.path.insert(0, str(Path(__file__).parent))
from benchmark_samples import SAMPLES, picture

PAGE = Path(__file__).parents[3] / "rlcs" / "docs" / "benchmarks.md"


def lay_out(folder: Path, name: str, *rows: dict[str, Any]) -> Path:
    """Write ``rows`` as the hub has them: one Parquet file of the split, in a folder."""
    path = folder / name / f"{PRESETS[name].split}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return folder


def written(folder: Path, name: str, **options: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"data": folder, "space": "norm1000", "limit": None, **options}
    path = write_questions(PRESETS[name], folder / "out", **given)
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_row_in_its_layout_is_asked_and_judged(name: str, tmp_path: Path) -> None:
    sample, known = SAMPLES[name], PRESETS[name]
    row = written(lay_out(tmp_path, name, sample.row), name)[0]
    assert all((tmp_path / "out" / each).is_file() for each in row.get("images", ()))
    assert bool(row.get("images")) == known.has_pictures
    settings = {"extraction": known.extraction}
    if known.settings:
        settings[known.domain] = known.settings
    registry = Registry(settings=settings)
    for response, passes in ((sample.right, True), (sample.wrong, False)):
        request = Request(
            domain=row["domain"],
            response=response,
            reference=row["reference"],
            question=row["question"],
        )
        verdict = registry.judge(request)
        assert not verdict.ours_failed, verdict.detail
        assert registry.passed(row["domain"], verdict) == passes, verdict


def test_every_benchmark_is_on_the_page_with_its_rule() -> None:
    page = PAGE.read_text()
    for known in PRESETS.values():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{known.name}` |")]
        assert (known.hub or "made") in line
        assert f"`{known.domain}`" in line
        assert f"`{known.extraction['rule']}`" in line
        assert known.source in line


def test_the_options_of_gpqa_are_shuffled_alike_every_time(tmp_path: Path) -> None:
    rows = [{**SAMPLES["gpqa"].row, "Question": f"Which {n}?"} for n in range(12)]
    lay_out(tmp_path, "gpqa", *rows)
    first, second = written(tmp_path, "gpqa"), written(tmp_path, "gpqa")
    assert first == second
    assert len({row["reference"] for row in first}) == 4


def test_options_of_mathvista_become_letters(tmp_path: Path) -> None:
    changed = {"choices": ["1", "2"], "answer": "2", "question_type": "multi_choice"}
    row = written(
        lay_out(tmp_path, "mathvista", {**SAMPLES["mathvista"].row, **changed}), "mathvista"
    )
    assert (row[0]["domain"], row[0]["reference"]) == ("choice", "B")
    assert "\nB. 2" in row[0]["question"]


def test_each_expression_of_refcoco_is_a_question(tmp_path: Path) -> None:
    rows = written(lay_out(tmp_path, "refcoco", SAMPLES["refcoco"].row), "refcoco")
    assert ["the dog" in rows[0]["question"], "left one" in rows[1]["question"]] == [True, True]


@pytest.mark.parametrize(
    ("space", "box"),
    [
        ("norm999", [899.1, 0.0, 999.0, 99.9]),
        ("norm1", [0.9, 0.0, 1.0, 0.1]),
        ("pixel", [180.0, 0.0, 200.0, 10.0]),
    ],
)
def test_boxes_are_in_the_space_that_is_asked_for(
    space: str, box: list[float], tmp_path: Path
) -> None:
    lay_out(tmp_path, "screenspot", SAMPLES["screenspot"].row)
    (row,) = written(tmp_path, "screenspot", space=space)
    assert (row["reference"]["coord"], row["reference"]["bbox"]) == (space, box)
    assert row["reference"].get("image_size") == ([200, 100] if space == "pixel" else None)


def test_files_of_a_benchmark_as_jsonl_with_pictures_beside(tmp_path: Path) -> None:
    (tmp_path / "ai2d").mkdir()
    (tmp_path / "ai2d" / "fox.png").write_bytes(picture()["bytes"])
    row = {**SAMPLES["ai2d"].row, "image": "fox.png"}
    (tmp_path / "ai2d" / "test.jsonl").write_text(json.dumps(row) + "\n")
    assert len(written(tmp_path, "ai2d")) == 1
    row["image"] = "../../secret.png"
    (tmp_path / "ai2d" / "test.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DatasetError, match="which leads out of it"):
        written(tmp_path, "ai2d")
    (tmp_path / "ai2d" / "test.jsonl").write_text(json.dumps({**row, "image": "fox.png"}) + "\n{")
    with pytest.raises(DatasetError, match=r"test.jsonl: .*found in line 2: Expecting"):
        written(tmp_path, "ai2d")


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        (
            "ai2d",
            {"answer": "7"},
            "row 1: expected the number of an option in 'answer'",
        ),
        ("ai2d", {"options": ["one"], "answer": "0"}, "expected 2 to 10 options, found 1"),
        ("aime24", {"answer": "x"}, "expected a whole number in 'answer', found 'x'"),
        ("mmmu_pro", {"options": "[__import__('os')]"}, "expected a list in 'options'"),
        ("mmmu_pro", {"image_2": None}, "expected a picture for each <image N>"),
        ("muirbench", {"options": ["a", "b"]}, "found 1 and 3"),
        ("screenspot", {"bbox": [1.0]}, "expected the four numbers of a box in 'bbox', found 1"),
        ("screenspot", {"image": {"bytes": b"x", "path": None}}, "a picture that can be opened"),
        ("androidcontrol", {"action": "click"}, "expected an action as a JSON object"),
        ("androidcontrol", {"bbox": None}, "the element around the click, found none"),
    ],
)
def test_rows_of_another_layout_are_named(
    name: str, changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    lay_out(tmp_path, name, {**SAMPLES[name].row, **changed})
    with pytest.raises(DatasetError, match=message):
        written(tmp_path, name)
    assert not (tmp_path / "out" / QUESTIONS_NAME).exists()


def test_columns_and_files_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"expected .*gsm8k\.parquet .* found neither"):
        written(tmp_path, "gsm8k")
    lay_out(tmp_path, "gsm8k", {"query": "1 + 1?", "answer": "2"})
    with pytest.raises(DatasetError, match="expected the columns question, answer, found no quest"):
        written(tmp_path, "gsm8k")
    with pytest.raises(ConfigError, match="Did you mean gsm8k"):
        preset("gsm8")
    with pytest.raises(DatasetError, match="androidcontrol: expected --data FOLDER"):
        written(tmp_path, "androidcontrol", data=None)


def test_the_interval_is_over_problems_not_attempts() -> None:
    low, high = problem_interval([0.0, 1.0] * 50) or (0, 0)
    assert (low, high) == pytest.approx((0.4003, 0.5997), abs=1e-3)  # t of 99 degrees
    assert problem_interval([1.0] * 10) == pytest.approx((0.7225, 1.0), abs=1e-3)  # Wilson
    assert problem_interval([]) is None


def test_a_model_without_boxes_is_told_from_one_that_is_wrong() -> None:
    attempt = {"passed": False, "outcome": "no_answer", "detail": "no box in the answer"}
    rows = [{**attempt, "problem_id": str(n), "finish_reason": "length"} for n in range(4)]
    result = result_of("gsm8k", rows, 1)
    assert (result.accuracy, result.num_cut) == (0.0, 4)
    no_answer, cut = what_became(result)
    assert no_answer.startswith("gsm8k: 100 % have no answer (no box in the answer in 100 %).")
    assert cut.startswith("gsm8k: 100 % ran into the token limit")


def test_our_failures_are_left_out() -> None:
    base = {"detail": "", "finish_reason": "stop"}
    rows = [
        {**base, "problem_id": "a", "passed": True, "outcome": "correct"},
        {**base, "problem_id": "b", "passed": None, "outcome": "timeout"},
    ]
    result = result_of("x", rows, 1)
    assert (result.num_problems, result.accuracy) == (1, 1.0)
    assert what_became(result) == [
        "x: 1 of 2 completions could not be had or judged and are left out."
    ]


@pytest.fixture
def server() -> Iterator[Server]:
    with endpoint_server() as server:
        yield server


@pytest.fixture
def evaluate(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str, status: int = 0) -> str:
        port = server.server_address[1]
        command = ["eval", "--endpoint", f"http://127.0.0.1:{port}/v1", "--model", "tiny"]
        command += ["--out", str(tmp_path / "runs"), "--data", str(tmp_path / "data")]
        assert main([*command, *arguments]) == status
        printed = capsys.readouterr()
        return printed.out + printed.err

    return call


def test_an_endpoint_is_evaluated_on_two_benchmarks(
    evaluate: Any, server: Server, tmp_path: Path
) -> None:
    questions = [{**SAMPLES["gsm8k"].row, "question": f"{n}. How many?"} for n in range(4)]
    lay_out(tmp_path / "data", "gsm8k", *questions)
    lay_out(tmp_path / "data", "mmstar", SAMPLES["mmstar"].row)
    server.reply = lambda number, question: "3,000 it is" if "How many" in question else "A"
    numbers = tmp_path / "numbers.json"
    printed = evaluate(
        "--benchmark", "gsm8k", "mmstar", "evaluation.samples_per_problem=2", "--json", str(numbers)
    )
    assert "gsm8k: 100 % have no answer (no box in the answer in 100 %)" in printed
    assert "left 0:00" in printed
    found = json.loads(numbers.read_text())
    assert (found["gsm8k"]["accuracy"], found["mmstar"]["accuracy"]) == (0.0, 1.0)
    assert found["gsm8k"]["outcomes"] == {"no_answer": 8}
    saved = pq.read_table(tmp_path / "runs" / "eval-tiny-gsm8k" / "attempts" / "tiny").to_pylist()
    assert [row["text"] for row in saved] == ["3,000 it is"] * 8
    shown = server.asked[-1]["messages"][-1]["content"]
    assert [part["type"] for part in shown] == ["image_url", "text"]
    assert shown[0]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert server.asked[0]["max_tokens"] == PRESETS["gsm8k"].max_tokens

    num_asked = len(server.asked)
    again = evaluate("--benchmark", "gsm8k", "evaluation.samples_per_problem=2")
    assert len(server.asked) == num_asked, "what is saved is not asked again"
    assert "100 % have no answer" in again


def test_a_rule_of_the_users_own_finds_the_answer(
    evaluate: Any, server: Server, tmp_path: Path
) -> None:
    lay_out(tmp_path / "data", "gsm8k", SAMPLES["gsm8k"].row)
    server.reply = lambda number, question: "3,000 it is"
    printed = evaluate("scoring.extraction.rule=last_number", "--benchmark", "gsm8k")
    assert "correct 100%" in printed


def test_what_a_configuration_holds_out_is_asked_of_an_endpoint(
    evaluate: Any, server: Server, tmp_path: Path
) -> None:
    rows = [{"question": f"{number}: 2 + 2?", "answer": "4"} for number in range(3)]
    (tmp_path / "heldout.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (tmp_path / "heldout.jsonl").open("a") as file:
        file.write("{\n")
    (tmp_path / "run.yaml").write_text(
        f"model: {{path: unused}}\ndata: {{bad_rows: drop, train: [{{path: none.jsonl}}], "
        f"heldout: [{{path: {tmp_path / 'heldout.jsonl'}}}]}}\n"
    )
    printed = evaluate(str(tmp_path / "run.yaml"), "evaluation.samples_per_problem=1")
    assert "correct 100%" in printed
    assert len(server.asked) == 3

    # A model that was trained with boxes is looked at for boxes, whatever a benchmark has.
    lay_out(tmp_path / "data", "ai2d", SAMPLES["ai2d"].row)
    server.reply = lambda number, question: "A, no: \\boxed{B}"
    printed = evaluate(str(tmp_path / "run.yaml"), "--benchmark", "ai2d", "run.seed=1")
    assert "correct 100%" in printed


def test_what_is_left_out_of_an_evaluation_is_said_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_left_out(["1 row\x1b[2J was dropped"], [Fault("a:1", "bad")], tmp_path / "new")
    assert (tmp_path / "new" / "dropped_rows.jsonl").read_text().startswith('{"row": "a:1"')
    told = capsys.readouterr()
    assert (told.out, "was dropped" in told.err, "\x1b" in told.err) == ("", True, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmark", "gsm9k"], "Did you mean gsm8k?"),
        ([], "expected a config file whose held-out problems are asked, or --benchmark NAME"),
        (["--benchmark", "gsm8k", "rollout.tempreature=1"], "temperature"),
        (["--benchmark", "gsm8k", "--json", "/nowhere/x.json"], "found no folder /nowhere"),
    ],
)
def test_mistakes_are_told(evaluate: Any, arguments: list[str], message: str) -> None:
    printed = evaluate(*arguments, status=2)
    assert message in printed
    assert "Traceback" not in printed


def test_the_samples_cover_all_presets() -> None:
    assert list(SAMPLES) == list(PRESETS)
