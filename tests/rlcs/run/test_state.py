"""A trainer's state comes back bit for bit; a damaged or made-up one is refused by one error."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curricula import Fate
from curricula.plain import pack, unpack
from rewards import Outcome, Verdict
from rlcs.errors import ResumeError
from rlcs.rollout.lengths import LengthState
from rlcs.run.batch import Batch
from rlcs.run.checkpoint import FORMAT, read_state
from rlcs.run.records import to_plain
from rlcs.run.state import TrainerState
from rlcs.types import Completion, FinishReason, Image, Problem, Prompt, RolloutGroup

WRONG: list[Any] = [
    *(None, True, -5, 2**70, 0.5, float("nan"), "text", b"bytes", [], [1, [2]], {}, {"a": 1}),
    *({3: "x"}, np.zeros(0), np.zeros(2), np.array([-1, 10**12]), np.zeros((2, 2), np.int64)),
]


def make_group(name: str, reference: Any = "2") -> RolloutGroup:
    problem = Problem(
        problem_id=name,
        domain="math",
        category="数",
        messages=({"role": "user", "content": "1 + 1?"},),
        reference=reference,
        question="1 + 1?",
        prior_pass_rate=1 / 3,
        images=(Image(name="a.png", digest="d", width=2, height=1, stored=b"\x89PNG"),),
    )
    completion = Completion(
        problem_id=name,
        token_ids=np.array([3, 9, 1]),
        logprobs=np.array([-0.1, 0.0, -1e-30], dtype=np.float32),
        loss_mask=np.array([True, False, True]),
        text="<think>\ud83d\x1b",
        finish_reason=FinishReason.STOP,
        policy_version=3,
        segments=((2, 3), (1, 4)),
    )
    verdict = Verdict(outcome=Outcome.ERROR, score=0.1, extracted=None, detail="x", seconds=1e-9)
    return RolloutGroup(
        problem=problem,
        prompt=Prompt(
            problem_id=name,
            token_ids=np.arange(4),
            images=problem.images,
            template_ids=np.arange(3),
        ),
        draw_probability=0.1,
        tier="medium",
        completions=(completion, completion),
        verdicts=(verdict, verdict),
        rewards=np.array([0.1 + 0.2, np.nan]),
        passed=np.array([True, False]),
    )


def make_state() -> TrainerState:
    one, other = make_group("p1"), make_group("p2", {"value": [2, 0.1, None]})
    batch = Batch(
        step=8,
        drawn=[one],
        candidates=[other, one],
        fates={"p1": Fate.TRAINED, "p2": Fate.CARRIED},
        curriculum={"valid_rate": 0.1 + 0.2, "num_drawn": 3},
        seconds={"rollout": 1.5},
    )
    return TrainerState(
        steps_done=7,
        policy_version=7,
        curriculum={
            "step": 7,
            "rng": 2**127 + 1,
            "rates": np.linspace(0, 1, 3),
            "recent": {5: [1]},
        },
        carried=[other],
        ahead=[batch],
        lengths=LengthState(problems={"p1": 1 / 3}, overall=0.1),
        log_position={"steps": 100, "groups": 200},
        seconds=12.3,
        accuracy_before={"accuracy": None},
        best_accuracy=0.3,
        best_step=5,
    )


def write(folder: Path, plain: Any, step: int = 7) -> Path:
    checkpoint = folder / "checkpoints" / f"step_{step:06d}"
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "format.json").write_text(json.dumps({"format": FORMAT}))
    (checkpoint / "trainer.npz").write_bytes(pack(plain))
    return checkpoint


def assert_same(one: Any, other: Any, where: str = "state") -> None:
    assert type(one) is type(other), where
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), field.name)
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for name in one:
            assert_same(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list | tuple):
        for each, same in zip(one, other, strict=True):
            assert_same(each, same, where)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    else:
        assert one == other, where


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of a state."""
    if path:
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in items:
            yield from places(each, (*path, name))


def changed(plain: Any, path: tuple[Any, ...], value: Any) -> Any:
    other = copy.deepcopy(plain)
    here = other
    for name in path[:-1]:
        here = here[name]
    here[path[-1]] = value
    return other


def test_a_whole_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    state = make_state()
    assert_same(read_state(write(tmp_path, to_plain(state))), state)


def test_a_picture_in_a_file_is_saved_by_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    group = make_group("p1")
    image = dataclasses.replace(group.problem.images[0], stored=path)
    problem = dataclasses.replace(group.problem, images=(image,))
    plain = to_plain(TrainerState(carried=[dataclasses.replace(group, problem=problem)]))
    path.unlink()
    found = read_state(write(tmp_path, plain, step=0))
    assert found.carried[0].problem.images[0].read() == b"\x89PNG"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("carried",), 5, r"state\.carried: expected a list, found int 5"),
        (("steps_done",), "7", r"state\.steps_done: expected int, found str '7'"),
        (("steps_done",), 8, r"state\.ahead\[0\]\.step: expected 9, not 8"),
        (("policy_version",), True, r"policy_version: expected int, found bool True"),
        (("seconds",), None, r"state\.seconds: expected a number, found NoneType"),
        (("carried", 0, "tier"), b"x", r"state\.carried\[0\]\.tier: expected str, found bytes"),
        (("carried", 0, "rewards"), np.zeros(2, np.float32),
         r"carried\[0\]\.rewards: expected a row of float64, found float32\[2\]"),
        (("carried", 0, "rewards"), np.zeros(3), r"rewards: expected 2, one a completion"),
        (("carried", 0, "completions", 1, "loss_mask"), np.zeros(2, bool),
         r"completions\[1\]\.loss_mask: expected 3, one a token"),
        (("carried", 0, "completions", 0, "token_ids"), np.array([1, -1, 2]), "expected token ids"),
        (("carried", 0, "prompt", "template_ids"), None, "template_ids: expected token ids"),
        (("carried", 0, "problem", "images", 0), {"name": "a"}, "expected the fields of a Image"),
        (("carried", 0, "completions", 0, "segments"), [[1, 3]], "segments of 3 tokens in all"),
        (("carried", 0, "completions", 0, "finish_reason"), "tired",
         "finish_reason: expected one of stop, length, found str 'tired'"),
        (("ahead", 0, "fates"), {"p1": "trained"}, "expected the fate of each candidate"),
        (("log_position", "steps"), -1, "expected a count, not -1"),
        (("lengths", "problems", "p1"), "long", r"lengths\.problems\.p1: expected a number"),
        (("surplus",), 1, r"expected the fields of a TrainerState, found also \['surplus'\]"),
    ],
)  # fmt: skip
def test_the_message_says_where_and_what(
    tmp_path: Path, path: tuple[Any, ...], value: Any, why: str
) -> None:
    with pytest.raises(ResumeError, match=why):
        read_state(write(tmp_path, changed(to_plain(make_state()), path, value)))


def test_whatever_stands_anywhere_only_a_resume_error_comes_out(tmp_path: Path) -> None:
    plain, randomly = to_plain(make_state()), random.Random(0)
    every, refused = list(places(plain)), 0
    for _ in range(400):
        path, value = randomly.choice(every), randomly.choice(WRONG)
        try:
            read_state(write(tmp_path, changed(plain, path, value)))
        except ResumeError as error:
            refused += 1
            assert "step_000007 is damaged: trainer.npz: " in str(error)  # noqa: PT017
    assert refused > 250


def test_whatever_byte_is_changed_only_a_resume_error_comes_out(tmp_path: Path) -> None:
    state, randomly = make_state(), random.Random(0)
    checkpoint = write(tmp_path, to_plain(state))
    content = (checkpoint / "trainer.npz").read_bytes()
    for _ in range(300):
        damaged = bytearray(content)
        damaged[randomly.randrange(len(content))] ^= 1 << randomly.randrange(8)
        end = randomly.choice([len(content), randomly.randrange(len(content))])
        (checkpoint / "trainer.npz").write_bytes(bytes(damaged[:end]))
        try:
            found = read_state(checkpoint)
        except ResumeError:
            continue
        assert_same(found, state)


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "code ran")


def test_a_pickle_in_the_place_of_the_state_runs_nothing(tmp_path: Path) -> None:
    import pickle

    canary = tmp_path / "canary"
    checkpoint = write(tmp_path, {})
    for name in ("trainer.npz", "trainer.pkl"):
        (checkpoint / name).write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(ResumeError, match=r"trainer\.npz: expected a state as it was saved"):
        read_state(checkpoint)
    (checkpoint / "format.json").write_text('{"format": 4}')
    with pytest.raises(ResumeError, match="was written in format 4"):
        read_state(checkpoint)
    assert not canary.exists()


@pytest.mark.parametrize(
    "content", ["", "{", "3", "null", '{"format": "5"}', '{"format": true}', "[" * 10**5, "\x00"]
)
def test_a_damaged_number_of_the_format(tmp_path: Path, content: str) -> None:
    checkpoint = write(tmp_path, to_plain(make_state()))
    (checkpoint / "format.json").write_text(content)
    with pytest.raises(ResumeError, match=r'damaged: format.json: expected {"format": 5}, found'):
        read_state(checkpoint)


def test_the_way_on_is_the_newest_whole_one_before(tmp_path: Path) -> None:
    plain = to_plain(TrainerState())
    for step in (3, 4, 5, 6):
        write(tmp_path, changed(plain, ("steps_done",), step), step)
    checkpoints = tmp_path / "checkpoints"
    for step in (5, 6):
        (checkpoints / f"step_{step:06d}" / "trainer.npz").write_bytes(b"")
    with pytest.raises(ResumeError) as refused:
        read_state(checkpoints / "step_000006")
    assert str(refused.value).endswith(
        f"The one before it, step_000004, is whole. Remove the folder {checkpoints}/step_000006, "
        f"and go on from there: rlcs train --resume {tmp_path}."
    )


def test_without_a_whole_one_before_a_new_run_goes_on_from_the_model(tmp_path: Path) -> None:
    checkpoint = write(tmp_path, to_plain(TrainerState(steps_done=7)), step=7)
    (checkpoint / "trainer.npz").unlink()
    with pytest.raises(
        ResumeError, match=r"No older checkpoint of this run is whole\. Start again"
    ):
        read_state(checkpoint)
    (checkpoint / "model").mkdir()
    with pytest.raises(ResumeError, match=r"is whole\. Start a new run .*model\.path="):
        read_state(checkpoint)


def test_a_state_under_the_name_of_another_step(tmp_path: Path) -> None:
    with pytest.raises(ResumeError, match="expected 9, as the folder is named, found 7"):
        read_state(write(tmp_path, to_plain(TrainerState(steps_done=7)), step=9))


def test_what_is_written_is_what_can_be_read(tmp_path: Path) -> None:
    assert unpack(pack(to_plain(TrainerState())))["carried"] == []
