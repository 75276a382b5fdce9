"""Loading: what rows become, what is refused and in which words, and what ids promise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcs.config import DataSection, RunConfig, SftConfig, SourceSection, load_config
from rlcs.data import load_data, write_dropped
from rlcs.errors import DatasetError
from rlcs.types import Problem

REPOSITORY = Path(__file__).parents[3]
ROW = {"question": "What is 1 + 1?", "answer": "2"}

RowFile = Callable[..., str]


def section(*train: dict[str, Any], heldout: Iterable[dict[str, Any]] = ()) -> DataSection:
    return DataSection(
        train=[SourceSection.model_validate(source) for source in train],
        heldout=[SourceSection.model_validate(source) for source in heldout],
    )


def load_train(**source: Any) -> list[Problem]:
    return list(load_data(section(source)).train)


def refusal(*train: dict[str, Any], heldout: Iterable[dict[str, Any]] = ()) -> str:
    with pytest.raises(DatasetError) as caught:
        load_data(section(*train, heldout=heldout))
    return str(caught.value)


def test_a_row_becomes_a_problem(row_file: RowFile) -> None:
    row = {"q": "1 + 1?", "a": 2, "n": 7, "d": "math", "c": "sums", "p": 0.5, "r": "Two.", "l": 3}
    columns = {"question": "q", "reference": "a", "id": "n", "domain": "d", "category": "c"}
    columns |= {"pass_rate": "p", "response": "r", "label": "l"}
    [problem] = load_train(path=row_file(row), columns=columns, system_prompt="Add.")
    assert problem == Problem(
        problem_id="7",
        domain="math",
        category="sums",
        messages=(
            {"role": "system", "content": "Add."},
            {"role": "user", "content": "1 + 1?"},
        ),
        reference=2,
        question="1 + 1?",
        prior_pass_rate=0.5,
        difficulty_label="3",
        demonstration="Two.",
    )


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("2024-05-01", "a date stays the text it is"),
        (12345678901234567890123, "a long whole number stays exact"),
        (0.1, ""),
        (["1", 2, None], "lists mix types"),
        ({"action": "click", "bbox": [1, 2]}, "objects gain no keys from other rows"),
        ("  2 ", "spaces stay"),
    ],
)
def test_references_arrive_as_written(row_file: RowFile, reference: Any, reason: str) -> None:
    path = row_file({**ROW, "answer": reference}, {**ROW, "answer": {"other": "keys"}})
    found = load_train(path=path)[0].reference
    assert found == reference, reason
    assert type(found) is type(reference), reason


def test_messages_replace_the_question(row_file: RowFile) -> None:
    turns = [
        {"role": "system", "content": "Own."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Two?"},
    ]
    path = row_file({"turns": turns, "answer": "2"})
    [problem] = load_train(path=path, columns={"messages": "turns"}, system_prompt="Source's.")
    assert list(problem.messages) == turns, "a row's own system turn stands"
    assert problem.question == "Two?"


def test_demonstrations_are_built_around_the_thinking(row_file: RowFile) -> None:
    [problem] = load_train(
        path=row_file({"question": "q", "answer": "1 + 1 is 2.\nSo: \n#### 2"}),
        columns={"thinking": "answer"},
        thinking_pattern=r"(?s)^(.*?)\s*####",
        reference_pattern=r"####\s*(\S+)",
    )
    assert problem.reference == "2"
    assert problem.demonstration == (
        "<think>1 + 1 is 2.\nSo:</think><answer><|begin_of_box|>2<|end_of_box|></answer>"
    )


@pytest.mark.parametrize(
    ("keys", "row", "category"),
    [
        ({"columns": {"category": "c"}, "category": "s"}, {"c": "own"}, "own"),
        ({"columns": {"category": "c"}, "category": "s"}, {"c": 3}, "3"),
        ({"columns": {"category": "c"}, "category": "s"}, {"c": None}, "s"),
        ({"columns": {"category": "c"}}, {}, "rows.jsonl"),
        ({"category": "s"}, {"c": "not read"}, "s"),
    ],
)
def test_category_of_row_then_source(
    row_file: RowFile, keys: dict[str, Any], row: dict[str, Any], category: str
) -> None:
    [problem] = load_train(path=row_file({**ROW, **row}), **keys)
    assert Path(problem.category).name == category


@pytest.mark.parametrize(
    ("row", "keys", "said"),
    [
        ('{"question": "x"', {}, "expected one JSON object, found broken JSON: Expecting ','"),
        ("[1]", {}, "expected one JSON object, found a list."),
        ('{"question": "x", "answer": NaN}', {}, "found NaN, which is not JSON."),
        ('{"question": "\\ud800", "answer": 1}', {}, "surrogates not allowed"),
        ({"question": "x"}, {}, "expected an answer in 'answer', found no such key; the row has"),
        ({"question": "x", "answer": None}, {}, "an answer in 'answer', found nothing (null)."),
        ({"question": "x", "answer": " "}, {}, "expected an answer in 'answer', found ' '."),
        ({"question": "x", "answer": True}, {}, "a text, number, list or object in 'answer'"),
        ('{"question": "x", "answer": 1e999}', {}, "expected a finite number in 'answer'"),
        ('{"question": "x", "answer": [1e999]}', {}, "lists and objects alone in 'answer', found"),
        (
            f'{{"question": "x", "answer": {"[" * 900 + "]" * 900}}}',
            {},
            "values nested a few levels deep, found hundreds.",
        ),
        ({"question": "", "answer": "1"}, {}, "expected a question (a text) in 'question'"),
        ({"question": 5, "answer": "1"}, {}, "(a text) in 'question', found 5."),
        ({"answer": "1"}, {}, "'question', found no such key; the row has answer."),
        (ROW, {"domain": "maths"}, "a domain that has a verifier (charts, "),
        ({**ROW, "d": "maths"}, {"columns": {"domain": "d"}}, "found 'maths'."),
        (ROW, {"columns": {"domain": "d"}}, "expected a domain (a text) in 'd'"),
        (ROW, {"columns": {"id": "n"}}, "expected an id (a text) in 'n', found no such key"),
        ({**ROW, "p": 2}, {"columns": {"pass_rate": "p"}}, "a pass rate from 0 to 1 in 'p'"),
        ({**ROW, "p": True}, {"columns": {"pass_rate": "p"}}, "found True."),
        ({**ROW, "l": [1]}, {"columns": {"label": "l"}}, "a label (a text or a number) in 'l'"),
        (ROW, {"columns": {"response": "r"}}, "expected a response (a text) in 'r'"),
        (ROW, {"columns": {"thinking": "t"}}, "expected thinking (a text) in 't'"),
        (ROW, {"reference_pattern": "#(.*)"}, "'answer' to match reference_pattern '#(.*)'"),
        (ROW, {"reference_pattern": "2(x)?"}, "to match reference_pattern"),
        ({**ROW, "answer": 2}, {"reference_pattern": "(.*)"}, "expected a text in 'answer' to"),
        ({**ROW, "m": []}, {"columns": {"messages": "m"}}, "a list of turns in 'm', found []."),
        ({**ROW, "m": [{"role": "user"}]}, {"columns": {"messages": "m"}}, "role and content"),
        (
            {**ROW, "m": [{"role": "assistant", "content": "x"}]},
            {"columns": {"messages": "m"}},
            "expected the last turn in 'm' to be the user's, found the role 'assistant'.",
        ),
    ],
)
def test_bad_rows_are_named_by_line(
    row_file: RowFile, row: Any, keys: dict[str, Any], said: str
) -> None:
    path = row_file("", row)
    message = refusal({"path": path, **keys})
    assert message.startswith(f"1 problem in the data:\n  {path}:2: ")
    assert said in message


def test_bytes_that_are_no_text_are_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"question": "a", "answer": 1}\n{"question": "\xe9"}\n')
    assert "rows.jsonl:2: expected one JSON object, found bytes that are no UTF-8" in refusal(
        {"path": str(tmp_path / "rows.jsonl")}
    )


def test_a_byte_order_mark_and_odd_line_breaks_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes("\ufeff".encode() + '{"question": "a\u2028b", "answer": 1}\r\n'.encode() * 2)
    assert [problem.question for problem in load_train(path=str(path))] == ["a\u2028b"] * 2


def test_all_bad_rows_are_counted_and_the_first_twenty_shown(row_file: RowFile) -> None:
    path = row_file(*[{"question": f"{n}"} for n in range(30)], ROW, "{", "{")
    lines = refusal({"path": path}).splitlines()
    assert lines[0] == "32 problems in the data:"
    assert lines[1].startswith(f"  {path}:1: ")
    assert lines[2].startswith(f"  {path}:2: ")
    assert len(lines) == 23
    assert lines[-2] == "  and 12 more."
    assert lines[-1] == "Correct these rows, or leave them out: data.bad_rows=drop."


def test_sources_that_are_not_there_are_all_named_first(row_file: RowFile) -> None:
    lines = refusal({"path": row_file("{")}, {"path": "one.jsonl"}, heldout=[{"path": "two.jsonl"}])
    assert [line.strip().partition(":")[0] for line in lines.splitlines()] == [
        "2 problems in the data",
        "one.jsonl",
        "two.jsonl",
    ]


def test_bad_rows_may_be_dropped(row_file: RowFile, tmp_path: Path) -> None:
    rows = [{**ROW, "n": 1}, "{", {**ROW, "n": 1}, {"n": 4}, {**ROW, "n": 5}]
    source = {"path": row_file(*rows), "columns": {"id": "n"}}
    held = row_file({**ROW, "question": "New?", "n": 5}, "[]", name="held.jsonl")
    data = section(source, heldout=[{**source, "path": held}])
    loaded = load_data(data.model_copy(update={"bad_rows": "drop"}))
    assert [problem.problem_id for problem in loaded.train] == ["1"]
    assert [problem.problem_id for problem in loaded.heldout] == ["5"]
    reasons = {each.location.rpartition("/")[2]: each.reason for each in loaded.dropped}
    assert list(reasons) == [
        "rows.jsonl:2",
        "rows.jsonl:4",
        "held.jsonl:2",
        "rows.jsonl:3",
        "rows.jsonl:5",
    ]
    assert reasons["rows.jsonl:5"].startswith("expected an id of its own, found '5', which")
    assert loaded.notes[0].startswith("5 rows cannot be used and were dropped (data.bad_rows = d")
    write_dropped(tmp_path, loaded.dropped)
    written = [json.loads(line) for line in (tmp_path / "dropped_rows.jsonl").open()]
    assert [row["row"] for row in written] == [each.location for each in loaded.dropped]
    assert written[3]["reason"] == reasons["rows.jsonl:3"]


def test_dropping_every_row_is_refused(row_file: RowFile) -> None:
    data = section({"path": row_file("{", "[]")}).model_copy(update={"bad_rows": "drop"})
    with pytest.raises(DatasetError, match="found none left: all rows were dropped or taken out"):
        load_data(data)


def test_problems_that_a_file_lists_are_left_out(row_file: RowFile, tmp_path: Path) -> None:
    path = row_file(*[{**ROW, "n": n} for n in range(4)])
    (tmp_path / "ids.txt").write_text("1\n\n3\nelsewhere\n")
    data = section({"path": path, "columns": {"id": "n"}})
    loaded = load_data(data.model_copy(update={"drop": str(tmp_path / "ids.txt")}))
    assert loaded.train.ids() == ["0", "2"]
    assert loaded.notes == [
        f"2 of the 3 problems that {tmp_path}/ids.txt lists were taken out of training (data.drop)."
    ]
    with pytest.raises(DatasetError, match=r"data.drop: expected a file with an id a line, found"):
        load_data(data.model_copy(update={"drop": str(tmp_path / "none.txt")}))


def test_repeated_ids_name_both_lines(row_file: RowFile) -> None:
    path = row_file({**ROW, "n": "a"}, {**ROW, "n": "b"}, {**ROW, "n": "a"})
    message = refusal({"path": path, "columns": {"id": "n"}})
    assert f"{path}:3: expected a new id, found 'a' again, first at {path}:1." in message


def test_an_id_may_not_mean_a_training_and_a_heldout_row(row_file: RowFile) -> None:
    train = row_file({**ROW, "n": 1}, name="train.jsonl")
    heldout = row_file({"question": "Other?", "answer": "3", "n": 1}, name="test.jsonl")
    sources = [{"path": path, "columns": {"id": "n"}} for path in (train, heldout)]
    message = refusal(sources[0], heldout=[sources[1]])
    assert f"{train}:1: expected an id of its own, found '1', which {heldout}:1 has" in message


ROWS = st.lists(
    st.fixed_dictionaries(
        {"question": st.sampled_from(["a", "b", "é"]), "answer": st.sampled_from(["1", 1, 2.0])}
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, data=st.data())
def test_made_ids_are_unique_and_follow_the_content(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "ids.jsonl"

    def ids(written: list[dict[str, Any]]) -> list[str]:
        path.write_text("\n".join(json.dumps(row) for row in written), encoding="utf-8")
        return [problem.problem_id for problem in load_train(path=str(path))]

    found = ids(rows)
    assert len(set(found)) == len(rows)
    assert found == ids(rows), "the same file, the same ids"
    assert set(found) == set(ids(data.draw(st.permutations(rows)))), "order does not matter"


def test_made_ids_are_the_same_everywhere(row_file: RowFile) -> None:
    found = [problem.problem_id for problem in load_train(path=row_file(ROW, ROW, ROW))]
    assert found == ["0e7399ca8f531481", "0e7399ca8f531481-2", "0e7399ca8f531481-3"]


def test_a_given_id_is_told_from_made_ones(row_file: RowFile) -> None:
    other = row_file({"question": "Other?", "answer": "3", "n": "0e7399ca8f531481"}, name="b.jsonl")
    message = refusal({"path": row_file(ROW)}, {"path": other, "columns": {"id": "n"}})
    assert f"{other}:1: expected a new id, found '0e7399ca8f531481' again, first at" in message


def test_a_category_is_what_many_problems_have_in_common(
    row_file: RowFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlcs.data.rows_of.MOST_CATEGORIES", 2)
    path = row_file(*({**ROW, "c": number} for number in range(3)))
    said = refusal({"path": path, "columns": {"category": "c"}})
    assert "expected at most 2 categories, found 3. Name a coarser column" in said


def test_heldout_questions_are_not_trained_on(row_file: RowFile) -> None:
    train = row_file(ROW, {**ROW, "question": "What is  2 + 2?\n"}, {**ROW, "question": "New?"})
    heldout = row_file({**ROW, "question": "What is 2 + 2?", "answer": "4"}, ROW, name="h.jsonl")
    loaded = load_data(section({"path": train, "system_prompt": "x"}, heldout=[{"path": heldout}]))
    assert [problem.question for problem in loaded.train] == ["New?"]
    assert len(loaded.heldout) == 2
    assert loaded.notes == [
        "2 of 3 training problems are also held out and were taken out of training."
    ]


def test_sets_that_come_out_empty(row_file: RowFile) -> None:
    path, empty = row_file(ROW), row_file("", name="empty.jsonl")
    assert f"{empty}: expected rows, found none." in refusal({"path": empty})
    message = refusal({"path": path}, heldout=[{"path": path}])
    assert "expected problems to train on, found none left: all 1 are also in data" in message


def test_limit_takes_the_first_rows(row_file: RowFile) -> None:
    path = row_file(ROW, {**ROW, "question": "b"}, "{ broken but never read")
    assert [problem.question for problem in load_train(path=path, limit=2)] == [
        "What is 1 + 1?",
        "b",
    ]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows = [{**ROW, "unread": {"x": n}, "boxes": [[1, n]]} for n in range(3)]
    Dataset.from_list([*rows, {**rows[0], "boxes": None}]).to_parquet(path)
    columns = {"reference": "boxes"}
    problems = load_train(path=str(path), columns=columns, limit=3)
    assert [problem.reference for problem in problems] == [[[1, 0]], [[1, 1]], [[1, 2]]]
    assert f"{path} row 4: expected an answer in 'boxes'" in refusal(
        {"path": str(path), "columns": columns}
    )
    assert "expected the columns answr, question, found question, answer, unread" in refusal(
        {"path": str(path), "columns": {"reference": "answr"}}
    )


def test_a_hub_data_set_by_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder in the place of an id is loaded by the same call.
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "sums"
    folder.mkdir()
    Dataset.from_list([ROW]).to_parquet(folder / "train.parquet")
    Dataset.from_list([{**ROW, "question": "Other?"}] * 2).to_parquet(folder / "test.parquet")
    assert [p.question for p in load_train(hub=str(folder))] == [ROW["question"]]
    assert len(load_train(hub=str(folder), split="test", limit=1)) == 1
    assert "expected a data set, found" in refusal({"hub": str(folder), "split": "dev"})


def test_users_domains_are_known(row_file: RowFile) -> None:
    loaded = load_data(section({"path": row_file(ROW), "domain": "chess"}), extra_domains=["chess"])
    assert loaded.train[0].domain == "chess"


def test_importing_the_package_stays_light() -> None:
    heavy = ["torch", "transformers", "datasets", "ray", "reasoning_gym"]
    code = f"import rlcs.data, sys; print({set(heavy)} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert shown.stdout.strip() == "set()"


@pytest.mark.parametrize(("name", "kind"), [("gsm8k", RunConfig), ("gsm8k_sft", SftConfig)])
def test_gsm8k_loads_by_configuration_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: Any
) -> None:
    monkeypatch.chdir(REPOSITORY)
    config = load_config(Path("configs") / f"{name}.yaml", kind=kind)
    loaded = load_data(config.data)
    assert (len(loaded.train), len(loaded.heldout)) == (374, 102)
    assert loaded.notes == []
    assert loaded.train[0].reference == "72"
    assert all("#" not in problem.reference for problem in loaded.train)
    response = loaded.train[0].demonstration
    assert (response is None) == (kind is RunConfig)
    if response is not None:
        assert response.startswith("<think>Natalia sold 48/2")
        assert response.endswith(
            "and May.</think><answer><|begin_of_box|>72<|end_of_box|></answer>"
        )
