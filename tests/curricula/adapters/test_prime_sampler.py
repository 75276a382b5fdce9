"""A curriculum in prime-rl, by stand-ins with the parts of its episodes that are read."""

from types import SimpleNamespace
from typing import Any

import pytest
from worlds import IDS, NOT_EXPANDED, chance, problems

from curricula import SettingsError, make_curriculum
from curricula.adapters.prime_sampler import CurriculumTaskSampler, ValidGroups
from curricula.plain import pack, unpack

TASKS = [SimpleNamespace(key=name) for name in IDS]


def sampler(**settings: Any) -> CurriculumTaskSampler:
    curriculum = make_curriculum(
        "rlcs", problems(120), group_size=4, seed=0, **{**NOT_EXPANDED, **settings}
    )
    return CurriculumTaskSampler(curriculum, TASKS, num_groups=8, pass_mark=1.0)


def trace(reward: float, *, trainable: bool = True, error: bool = False) -> Any:
    agent = SimpleNamespace(trainable=trainable)
    return SimpleNamespace(reward=reward, has_error=error, num_turns=1, agent=agent)


def episode(task: Any, *traces: Any, ok: bool = True) -> Any:
    return SimpleNamespace(task=task, ok=ok, traces=list(traces))


def group(task: Any, count: int = 0) -> list[Any]:
    passed = [(i * 0.37 + count * 0.11) % 1 < chance(task.key) for i in range(4)]
    return [episode(task, trace(float(each)), trace(9.0, trainable=False)) for each in passed]


def test_tasks_are_drawn_and_groups_observed_late_and_mixed() -> None:
    one = sampler()
    assert iter(one) is one
    out = [next(one) for _ in range(20)]
    assert len({task.key for task in out[:8]}) == 8
    for count, task in enumerate(reversed(out)):
        one.observe(group(task, count))
    counts = one.metrics()
    assert (counts["num_drawn"], counts["num_observed"]) == (24, 20)
    assert counts["num_undrawn_results"] == 0
    rates = {
        task.key: sum(each.traces[0].reward for each in group(task, 19 - count)) / 4
        for count, task in enumerate(out[:8])
    }
    table = one._feed.curriculum.export_difficulty()
    assert {name: table.pass_rates[name] for name in rates} == pytest.approx(rates)


def test_what_is_out_is_handed_out_again_after_loading() -> None:
    one, other = sampler(), sampler()
    out = [next(one) for _ in range(8)]
    for task in out[:5]:
        one.observe(group(task))
    other.load_state_dict(unpack(pack(one.state_dict())))
    assert [next(other).key for _ in range(3)] == [task.key for task in out[5:]]
    assert next(other) is next(one)


def test_the_gate_lets_valid_groups_through() -> None:
    gate, (task, *_) = ValidGroups(1.0), TASKS
    right, wrong = episode(task, trace(1.0)), episode(task, trace(0.5))
    failed = episode(task, trace(1.0), ok=False)
    assert gate.admit([right, wrong])
    assert not gate.admit([right, right])
    assert not gate.admit([wrong, failed])
    assert not gate.admit([wrong, episode(task, trace(1.0, error=True))])
    assert gate.metrics() == {"admitted": 1, "rejected": 3}
    other = ValidGroups(1.0)
    other.load_state_dict(gate.state_dict())
    assert other.metrics() == gate.metrics()


def test_what_cannot_be_chosen_from_is_refused() -> None:
    curriculum = make_curriculum("uniform", problems(120), group_size=4, seed=0)
    with pytest.raises(SettingsError, match="finite sequence of tasks"):
        CurriculumTaskSampler(curriculum, iter(TASKS), num_groups=8)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="curriculum expands"):
        next(sampler(initial_expansion=3, expansion_cap=4))
