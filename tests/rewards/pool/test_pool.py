"""The pool keeps order, kills what overruns, survives crashes, and works from anywhere."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rewards import (
    Outcome,
    Request,
    SettingsError,
    UnknownDomainError,
    Verdict,
    VerifierPool,
    verify,
)

HERE = "rewards_user_verifiers"


def make_request(response: str, reference: str = "4", domain: str = "math") -> Request:
    return Request(domain=domain, response=response, reference=reference, bare=True)


@pytest.fixture(scope="module")
def pool() -> Iterator[VerifierPool]:
    custom = {
        name: f"{HERE}:{name}" for name in ("sleeps", "spins", "dies", "raises", "hoards", "prints")
    }
    with VerifierPool(2, custom=custom, deadline_seconds=0.4) as pool:
        yield pool


def test_order_is_kept(pool: VerifierPool) -> None:
    requests = [make_request(str(n), reference=str(n - n % 2)) for n in range(200)]
    outcomes = [verdict.outcome for verdict in pool.judge(requests)]
    assert outcomes == [Outcome.CORRECT, Outcome.WRONG] * 100


@pytest.mark.parametrize(
    ("domain", "outcome"),
    [
        ("sleeps", Outcome.TIMEOUT),
        ("spins", Outcome.TIMEOUT),  # holds the interpreter lock
        ("dies", Outcome.ERROR),
        ("raises", Outcome.ERROR),
        ("hoards", Outcome.ERROR),
        ("prints", Outcome.CORRECT),
    ],
)
def test_a_bad_item_spoils_only_itself(pool: VerifierPool, domain: str, outcome: Outcome) -> None:
    requests = [
        make_request("4"),
        make_request("x", domain=domain),
        make_request("4"),
        make_request("5"),
    ]
    verdicts = pool.judge(requests)
    assert [v.outcome for v in verdicts] == [
        Outcome.CORRECT,
        outcome,
        Outcome.CORRECT,
        Outcome.WRONG,
    ]
    assert verdicts[1].ours_failed == (domain != "prints")
    assert verdicts[1].seconds < 1.0


def test_the_clock_of_an_item_starts_when_its_work_starts(pool: VerifierPool) -> None:
    verdicts = pool.judge([make_request("0.25", domain="sleeps") for _ in range(6)])
    assert {v.outcome for v in verdicts} == {Outcome.CORRECT}


def test_a_worker_killed_while_idle_is_replaced(pool: VerifierPool) -> None:
    pool.judge([make_request("4")])
    for worker in pool._idle:
        if worker is not None:
            os.kill(worker.pid, signal.SIGKILL)
    assert all(
        verdict.outcome is Outcome.CORRECT for verdict in pool.judge([make_request("4")] * 40)
    )


def test_a_worker_that_still_starts_is_kept_but_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REWARDS_SLOW_START", str(tmp_path / "started"))
    with VerifierPool(2, custom={"mine": "rewards_slow_start:passes"}) as pool:
        pool.judge([make_request("4")] * 40)  # enough for two workers; the first is done alone
        assert None not in pool._idle
        processes = {worker.pid for worker in pool._idle if worker is not None}
        pool.judge([make_request("4")])  # by the one that is ready
        assert sorted(worker.ready for worker in pool._idle if worker is not None) == [False, True]
        pool.judge([make_request("4")] * 40)
        assert {worker.pid for worker in pool._idle if worker is not None} == processes


def test_many_threads_and_asyncio_share_a_pool(pool: VerifierPool) -> None:
    counts: list[int] = []

    def judge_some() -> None:
        counts.append(
            sum(v.outcome is Outcome.CORRECT for v in pool.judge([make_request("4")] * 20))
        )

    threads = [threading.Thread(target=judge_some) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [20] * 16

    async def gather() -> list[list[Verdict]]:
        calls = (asyncio.to_thread(pool.judge, [make_request("4")]) for _ in range(32))
        return list(await asyncio.gather(*calls))

    assert all(v[0].outcome is Outcome.CORRECT for v in asyncio.run(gather()))


MIXED = [
    (make_request("4"), Outcome.CORRECT),
    (make_request("9^{9^{9^9}}"), Outcome.WRONG),
    (make_request("(" * 5_000), Outcome.UNPARSEABLE),
    (make_request("print(4)"), Outcome.UNPARSEABLE),
    (make_request("5 km", reference="5000 m"), Outcome.CORRECT),  # in a worker, by Pint
    (make_request("x^2<4", reference="(-2,2)"), Outcome.CORRECT),  # in a worker, by SymPy
]


def test_thousands_of_concurrent_calls_agree_with_one() -> None:
    async def gather(pool: VerifierPool) -> list[list[Verdict]]:
        calls = (asyncio.to_thread(pool.judge, [request]) for request, _ in cases)
        return list(await asyncio.gather(*calls))

    cases = MIXED[:5] * 400 + MIXED[5:] * 4
    with VerifierPool(2, deadline_seconds=20.0) as pool:  # not about time: the machine is shared
        verdicts = asyncio.run(gather(pool))
    assert [v.outcome for (v,) in verdicts] == [outcome for _, outcome in cases]


@pytest.mark.parametrize("num_threads", [1, 8])
def test_single_checks_agree_from_any_thread(num_threads: int) -> None:
    with ThreadPoolExecutor(num_threads) as threads:
        verdicts = list(threads.map(verify, [request for request, _ in MIXED[:5]] * 20))
    assert [verdict.outcome for verdict in verdicts] == [outcome for _, outcome in MIXED[:5]] * 20


def test_unknown_names_are_refused_before_any_work(pool: VerifierPool) -> None:
    with pytest.raises(UnknownDomainError, match=r"known: .*math"):
        pool.judge([make_request("4", domain="maths")])
    with pytest.raises(SettingsError, match="unknown setting"):
        VerifierPool(settings={"math": {"no_such": 1}}).judge([make_request("4")])
    with pytest.raises(SettingsError, match="unknown settings section"):
        VerifierPool(settings={"maths": {}})
    with (
        VerifierPool(custom={"mine": "no.such:thing"}) as broken,
        pytest.raises(SettingsError, match="cannot import"),
    ):
        broken.judge([make_request("4")])


def test_a_pass_mark_that_is_given_counts() -> None:
    request = Request(domain="ocr", response="hallo", reference="hello", bare=True)
    custom = {"fine": f"{HERE}:prints"}
    with (
        VerifierPool(custom=custom, pass_marks={"ocr": 0.8, "math": 0, "fine": 0.25}) as given,
        VerifierPool(custom=custom) as own,
    ):
        (verdict,) = given.judge([request])
        assert given.passed("ocr", verdict)
        assert not own.passed("ocr", verdict)
        names = ("ocr", "math", "fine", "text")
        assert [given.pass_mark(name) for name in names] == [0.8, 0, 0.25, 1.0]
        assert [own.pass_mark(name) for name in names] == [0.9, 1.0, 1.0, 1.0]
        failed = Verdict(outcome=Outcome.TIMEOUT, score=0.0, extracted=None, detail="", seconds=0.0)
        assert not given.passed("math", failed)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ({"maths": 0.5}, "unknown domain 'maths'"),
        ({"math": 1.01}, "expected a number from 0 to 1, found 1.01"),
        ({"math": -0.1}, "expected a number from 0 to 1"),
        ({"math": float("nan")}, "expected a number from 0 to 1"),
        ({"math": True}, "expected a number from 0 to 1, found True"),
        ({"math": "0.5"}, "expected a number from 0 to 1, found '0.5'"),
    ],
)
def test_pass_marks_that_do_not_fit_are_refused(marks: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        VerifierPool(pass_marks=marks)


def test_a_verifiers_own_pass_mark_must_fit() -> None:
    with (
        VerifierPool(custom={"mine": f"{HERE}:boasts"}) as pool,
        pytest.raises(SettingsError, match="mine: expected a number from 0 to 1, found 'high'"),
    ):
        pool.pass_mark("mine")


@pytest.mark.parametrize("busy", [False, True])
def test_workers_die_with_a_killed_parent(busy: bool, tmp_path: Path) -> None:
    domain = "spins" if busy else "math"
    program = f"""
import sys, threading, time
from rewards import Request, VerifierPool
pool = VerifierPool(1, custom={{"spins": "{HERE}:spins"}}, deadline_seconds=1.0)
def make_request(domain): return Request(domain=domain, response="4", reference="4", bare=True)
pool.judge([make_request("math")])
print(pool._idle[0].pid, flush=True)
threading.Thread(target=pool.judge, args=([make_request("{domain}")],), daemon=True).start()
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{worker}/stat").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{worker}").exists()


def test_verdict_and_errors_pickle() -> None:
    verdict = Verdict(outcome=Outcome.PARTIAL, score=0.5, extracted="x", detail="d", seconds=0.1)
    assert pickle.loads(pickle.dumps(verdict)) == verdict
    error = pickle.loads(pickle.dumps(UnknownDomainError("x", ["math"])))
    assert str(error) == "unknown domain 'x'; known: math"


def test_import_is_light() -> None:
    program = (
        "import sys, rewards; "
        "heavy = {'sympy', 'numpy', 'scipy', 'torch', 'ray', 'pint', 'mpmath', 'openai'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


@pytest.mark.long
def test_the_same_verdicts_from_a_ray_actor() -> None:
    ray = pytest.importorskip("ray")
    ray.init("local", num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:

        @ray.remote
        class Scorer:
            def __init__(self) -> None:
                self.pool = VerifierPool(1, deadline_seconds=20.0)

            def judge(self, requests: list[Request]) -> list[str]:
                return [verdict.outcome.value for verdict in self.pool.judge(requests)]

        scorer = Scorer.options(max_concurrency=8).remote()  # calls come from its threads
        many = ray.get([scorer.judge.remote([request]) for request, _ in MIXED * 20])
        assert many == [[outcome.value] for _, outcome in MIXED] * 20
        requests = [make_request("4"), make_request("5"), make_request("x^2<4", reference="(-2,2)")]
        assert ray.get(scorer.judge.remote(requests)) == ["correct", "wrong", "correct"]
    finally:
        ray.shutdown()


def test_no_request_waits_for_an_import() -> None:
    """A table's first verdict took longer than its deadline where SciPy was imported within it."""
    code = (
        "import sys; from rewards.registry import Registry; from rewards import Request\n"
        "registry = Registry(); registry.warm_up(); before = set(sys.modules)\n"
        "table = '| a | b |\\n| 1 | 2 |'\n"
        "registry.judge(Request(domain='charts', response=table, reference={'table': table},"
        " bare=True))\n"
        "print(sorted(each for each in set(sys.modules) - before if each.startswith('scipy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
