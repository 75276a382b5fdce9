"""The scan: what many rows need is found once, on all cores, kept, and noticed when it changes."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Image, Value

from curricula import CurriculumProblem, make_curriculum
from rewards import VerifierPool
from rlcs.activity import listening
from rlcs.config import ColumnsSection, DataSection, SourceSection
from rlcs.data import LoadedData, Renderer, load_data, scan, scan_progress, sources
from rlcs.data.cache import FOLDER_NAME
from rlcs.data.facts import Examiner
from rlcs.errors import DatasetError
from rlcs.run.problem_file import PROBLEMS_NAME, write_problems

ROWS: list[dict[str, Any]] = [
    {"question": f"What is {n} + {n}?", "answer": str(2 * n), "n": n % 3} for n in range(60)
]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows count as many, and are kept in the cache."""
    monkeypatch.setattr(scan, "MANY_ROWS", 50)
    monkeypatch.setattr(scan, "CHUNK_ROWS", 16)
    monkeypatch.setattr(sources, "SMALL_BYTES", 1000)


@pytest.fixture
def here(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept, and examined in this process."""
    monkeypatch.setattr(scan, "_workers", _in_this_process)


def _in_this_process(examiner: Examiner, spread: bool) -> Any:
    return REAL_WORKERS(examiner, False)


REAL_WORKERS = scan._workers


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each call examined."""
    counts: list[int] = []
    real = Examiner.examine

    def examine(self: Examiner, source: int, start: int, stop: int, kinds: Any) -> Any:
        counts.append(stop - start)
        return real(self, source, start, stop, kinds)

    monkeypatch.setattr(Examiner, "examine", examine)
    return counts


def write(path: Path, rows: Any = ROWS) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def load(path: Path, **more: Any) -> LoadedData:
    columns = {"category": "n"} | more.pop("columns", {})
    data = DataSection(train=[SourceSection(path=str(path), columns=columns, domain="math")])
    return load_data(data, **more)


def test_workers_find_what_one_process_finds(
    many: None, tmp_path: Path, tokenizer_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = {"question": "Where?", "answer": {"boxes": []}, "domain": "grounding"}
    plain: list[dict[str, Any]] = [*ROWS, {"question": "x"}, *ROWS[:2]]
    rows = [*({**row, "domain": "math"} for row in plain), boxes]
    path = write(tmp_path / "data" / "rows.jsonl", rows)
    columns = ColumnsSection(domain="domain")
    source = SourceSection(path=str(path), columns=columns)
    data = DataSection(train=[source], bad_rows="drop")
    renderer = Renderer.load(str(tokenizer_folder), max_prompt_tokens=100)
    with VerifierPool(1) as pool:
        spread = load_data(data, pool=pool, renderer=renderer)
        monkeypatch.setattr(scan, "MANY_ROWS", 1000)
        alone = load_data(data, pool=pool, renderer=renderer)
    assert list(spread.train) == list(alone.train)
    assert [str(each) for each in spread.dropped] == [str(each) for each in alone.dropped]
    assert len(spread.dropped) == 2
    assert spread.notes == alone.notes
    assert spread.train.columns.tokens is not None
    assert (spread.train.columns.tokens == alone.train.columns.tokens).all()
    prompts = renderer.render_all(alone.train[:3])
    lengths = [len(prompt.token_ids) for prompt in prompts.values()]
    assert spread.train.columns.tokens[:3].tolist() == lengths
    kinds = {name.name.split("-")[1] for name in (path.parent / FOLDER_NAME).glob("*.arrow")}
    assert kinds == {"data", "scan_rows", "scan_references", "scan_prompts"}


def test_a_second_start_examines_no_row(here: None, tmp_path: Path, examined: list[int]) -> None:
    path = write(tmp_path / "rows.jsonl")
    first = load(path)
    assert sum(examined) == len(ROWS)
    examined.clear()
    second = load(path)
    assert examined == []
    assert list(second.train) == list(first.train)
    load(path, columns={"category": "n", "label": "n"})
    assert sum(examined) == len(ROWS), "other columns, other facts"
    examined.clear()
    with VerifierPool(1) as pool:
        load(path, pool=pool)
    assert sum(examined) == len(ROWS), "the references alone, which were not judged before"


def test_changed_rows_are_examined_again(here: None, tmp_path: Path, examined: list[int]) -> None:
    path = write(tmp_path / "rows.jsonl")
    before = load(path)
    changed = [{**ROWS[0], "answer": "7"}, *ROWS[1:]]
    write(path, changed)
    after = load(path)
    assert sum(examined) == 2 * len(ROWS)
    assert after.train[0].reference == "7"
    assert before.train[0].reference == "0", "a run that goes on has the rows it began with"
    old = make_curriculum("uniform", before.train.for_curriculum(), group_size=2, seed=0)
    new = make_curriculum("uniform", after.train.for_curriculum(), group_size=2, seed=0)
    with pytest.raises(Exception, match="problem"):
        new.load_state_dict(old.state_dict())
    assert before.train[0].reference == "0", "nor are they taken from it"
    kept = list((tmp_path / FOLDER_NAME).glob("*-data-*.arrow"))
    assert len(kept) == 2, "rows are kept once, and while they are read"


def test_rows_that_nobody_reads_any_more_are_not_kept(here: None, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl")
    for number in range(3):
        write(path, [{**ROWS[0], "answer": str(number)}, *ROWS[1:]])
        assert load(path).train[0].reference == str(number)
    gc.collect()
    write(path)
    load(path)
    assert len(list((tmp_path / FOLDER_NAME).glob("*-data-*.arrow"))) == 1


def test_two_that_start_at_once_examine_the_rows_once(
    here: None, tmp_path: Path, examined: list[int]
) -> None:
    path = write(tmp_path / "rows.jsonl")
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(load, [path, path])
    assert list(first.train) == list(second.train)
    assert sum(examined) == len(ROWS)


@pytest.mark.parametrize("damage", ["cut", "swapped", "no key", "sizes"])
def test_a_cache_that_is_not_as_it_was_written_is_made_anew(
    here: None, tmp_path: Path, examined: list[int], damage: str
) -> None:
    path = write(tmp_path / "rows.jsonl")
    first = list(load(path).train)
    (kept,) = (tmp_path / FOLDER_NAME).glob("*-scan_rows-*.arrow")
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-100])
    elif damage == "swapped":
        other = write(tmp_path / "other" / "rows.jsonl", ROWS[:55])
        load(other)
        (of_other,) = (other.parent / FOLDER_NAME).glob("*-scan_rows-*.arrow")
        shutil.copy(of_other, kept)
    elif damage == "no key":
        kept.with_suffix(".json").write_text("[1")
    else:
        _write_wrong_sizes(kept)
    examined.clear()
    assert list(load(path).train) == first
    assert sum(examined) == len(ROWS)


def _write_wrong_sizes(path: Path) -> None:
    """A cache as an enemy makes it: its digest is right, and its texts lie outside of the file."""
    from rlcs.data.cache import digest_of_file

    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
        table = reader.read_all().combine_chunks()
    column = table.column_names.index("category")
    texts = table["category"].combine_chunks()
    offsets = np.arange(len(texts) + 1, dtype=np.int64)
    offsets[5] = 2**40
    wrong = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), texts.buffers()[2])
    table = table.set_column(column, table.schema.field("category"), wrong)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    about = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(about | {"digest": digest_of_file(path)}))


def test_a_folder_that_cannot_be_written_is_cached_in_the_users_own(
    here: None, tmp_path: Path, examined: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    path = write(tmp_path / "data" / "rows.jsonl")
    (path.parent / FOLDER_NAME).write_text("in the way, where even root can make no folder")
    load(path)
    load(path)
    assert sum(examined) == len(ROWS)
    assert list((tmp_path / "own" / "rlcs").rglob("*-scan_rows-*.arrow"))


def picture(shade: int) -> bytes:
    written = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), (shade, 0, 0)).save(written, "PNG")
    return written.getvalue()


def test_a_changed_picture_is_noticed(here: None, tmp_path: Path, examined: list[int]) -> None:
    (tmp_path / "a.png").write_bytes(picture(1))
    path = write(tmp_path / "rows.jsonl", [{**row, "image": "a.png"} for row in ROWS])
    loaded = load(path, columns={"images": "image"})
    examined.clear()
    load(path, columns={"images": "image"})
    assert examined == []
    time.sleep(0.01)
    (tmp_path / "a.png").write_bytes(picture(2))
    with pytest.raises(DatasetError, match=r"rows.jsonl:3 \(.*\): expected the row and the pict"):
        loaded.train[2]
    again = load(path, columns={"images": "image"})
    assert sum(examined) == len(ROWS)
    assert again.train[0].images[0].read() == picture(2)
    assert again.train.ids() != loaded.train.ids(), "the picture is part of an id"


def test_pictures_in_a_table_stay_there(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        "question": [row["question"] for row in ROWS],
        "answer": [row["answer"] for row in ROWS],
        "n": [0] * len(ROWS),
        "image": [{"bytes": picture(n)} for n in range(len(ROWS))],
    }
    features = Features(
        {"image": Image(), "n": Value("int64")}
        | {name: Value("string") for name in ("question", "answer")}
    )
    path = tmp_path / "rows.parquet"
    Dataset.from_dict(rows, features=features).to_parquet(path)
    train = load(path, columns={"images": "image"}).train
    assert train[7].images[0].read() == picture(7)
    assert not isinstance(train[7].images[0].stored, bytes)
    assert train.columns.most_shown == {"image": 1, "video": 0}
    monkeypatch.setattr("rlcs.data.images._examine", None)  # no picture is read for this
    write_problems(tmp_path, train=train)
    monkeypatch.undo()
    told = pq.read_table(tmp_path / PROBLEMS_NAME).to_pylist()[7]
    assert (told["problem_id"], told["question"]) == (train.ids([7])[0], ROWS[7]["question"])
    digest = train[7].images[0].digest
    assert json.loads(told["images"]) == [
        {"name": digest, "digest": digest, "width": 8, "height": 8, "file": None}
    ]
    shutil.rmtree(tmp_path / FOLDER_NAME)
    os.remove(path)
    assert train[8].images[0].read() == picture(8), "what is mapped stays until the run ends"


def test_problems_by_position_and_by_id(here: None, tmp_path: Path) -> None:
    train = load(write(tmp_path / "rows.jsonl")).train
    assert [each.question for each in train] == [row["question"] for row in ROWS]
    assert train[-1] == train[59] == train[58:][1]
    assert [each.question for each in train[5:20:7]] == [ROWS[n]["question"] for n in (5, 12, 19)]
    ids = train.ids([30, 2, 31])
    assert train.find(ids) == [train[30], train[2], train[31]]
    assert train.positions([ids[1], "none"]).tolist() == [2, -1]
    assert train.shares() == {"math/0": 20, "math/1": 20, "math/2": 20}


def test_a_curriculum_sees_the_problems_that_it_saw_as_records(here: None, tmp_path: Path) -> None:
    train = load(write(tmp_path / "rows.jsonl")).train
    records = [
        CurriculumProblem(
            problem_id=each.problem_id,
            domain=each.domain,
            category=each.category,
            prior_pass_rate=each.prior_pass_rate,
            content=each.content,
        )
        for each in train
    ]
    of_records = make_curriculum("rlcs", records, group_size=4, seed=1)
    of_arrays = make_curriculum("rlcs", train.for_curriculum(), group_size=4, seed=1)
    of_arrays.load_state_dict(of_records.state_dict())
    assert of_records.draw(10, step=1) == of_arrays.draw(10, step=1)


def test_limit_takes_the_first_rows_of_a_large_file(here: None, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [*ROWS, *({**row, "n": 5} for row in ROWS)])
    data = DataSection(train=[SourceSection(path=str(path), limit=55)])
    assert len(load_data(data).train) == 55
    data = DataSection(train=[SourceSection(path=str(path), limit=5)])
    assert load_data(data).train[4].question == ROWS[4]["question"]


def test_how_far_it_is_and_the_time_left_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_progress, "FIRST_SECONDS", 0.0)
    told: list[str] = []
    listener = told.append
    with (
        listening(lambda activities: listener(activities[-1].text if activities else "")),
        scan_progress.telling(2000) as count,
    ):
        count(500)
        count(1500)
    assert told[0] == "examining 2,000 rows of the data, once"
    assert "█████░░░░░░░░░░░░░░░ 25%" in told[1]
    assert told[1].endswith(" s left")
    assert "████████████████████ 100%, 0 s left" in told[2]
    assert told[-1] == ""
