"""Latency per domain, Math-Verify on the same answers, hostile inputs, GSM8K agreement."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rewards import Outcome, Request, VerifierPool, verify
from rewards.bench.inputs import hostile, ordinary

GSM8K = Path("../shared/data/gsm8k/example_model_solutions.jsonl")
DOMAINS = ("math", "charts", "gui", "grounding")


def main() -> int:
    """Run the benches and print one table each."""
    parser = argparse.ArgumentParser(prog="scripts/bench_rewards", description=__doc__)
    parser.add_argument("--gsm8k", type=Path, default=GSM8K, help="judged solutions (JSON lines)")
    parser.add_argument("--count", type=int, default=2_000, help="ordinary answers a domain")
    parser.add_argument("--hostile", type=int, default=1_000, help="hostile inputs")
    parser.add_argument("--skip-math-verify", action="store_true")
    arguments = parser.parse_args()
    for domain in DOMAINS:
        requests = ordinary(domain, arguments.count)
        _report(f"{domain}, rewards", _time_each(verify, requests))
    if not arguments.skip_math_verify:
        requests = ordinary("math", min(arguments.count, 500))
        _report("math, Math-Verify", _time_each(_math_verify(), requests))
    if arguments.hostile:
        _hostile(arguments.hostile)
    if arguments.gsm8k.is_file():
        return int(not _agreement(arguments.gsm8k))
    print(f"no file {arguments.gsm8k}: agreement on GSM8K not measured")
    return 0


def _time_each(judge: Callable[[Request], object], requests: Sequence[Request]) -> list[float]:
    """Seconds of each check, after a few that load what is loaded once."""
    for request in requests[:50]:
        judge(request)
    seconds = []
    for request in requests:
        started = time.perf_counter()
        judge(request)
        seconds.append(time.perf_counter() - started)
    return seconds


def _report(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    print(
        f"{name:22} n {len(ordered):6}  median {1e3 * statistics.median(ordered):8.3f} ms  "
        f"p99 {1e3 * p99:8.2f} ms  max {1e3 * ordered[-1]:8.1f} ms",
        flush=True,
    )


def _math_verify() -> Callable[[Request], object]:
    from math_verify import parse
    from math_verify import verify as compare

    def judge(request: Request) -> object:
        answer = request.response.split("<|begin_of_box|>")[1].split("<|end_of_box|>")[0]
        return compare(parse(f"${request.reference}$"), parse(f"${answer}$"))

    return judge


def _hostile(count: int) -> None:
    """Ordinary throughput before and after hostile inputs, and how long those took."""
    plain = ordinary("math", 2_000, seed=1)
    with VerifierPool(1) as pool:
        pool.judge(plain)
        before = _throughput(pool, plain)
        started = time.perf_counter()
        verdicts = pool.judge(hostile(count))
        took = time.perf_counter() - started
        after = _throughput(pool, plain)
    slowest = max(verdict.seconds for verdict in verdicts)
    passed = sum(verdict.score > 0 for verdict in verdicts)
    timeouts = sum(verdict.outcome is Outcome.TIMEOUT for verdict in verdicts)
    print(
        f"hostile                n {count:6}  in {took:.1f} s, slowest {slowest:.3f} s, "
        f"{passed} passed, {timeouts} timed out; ordinary {before:.0f} then {after:.0f} checks/s "
        f"({100 * (after / before - 1):+.1f} %)",
        flush=True,
    )


def _throughput(pool: VerifierPool, requests: Sequence[Request]) -> float:
    """The best of three, in checks a second."""
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        pool.judge(requests)
        rates.append(len(requests) / (time.perf_counter() - started))
    return max(rates)


def _agreement(path: Path) -> bool:
    """Judged solutions: the answer after the last "A:", each marked right or wrong."""
    agreed = total = 0
    seconds = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        reference = row["ground_truth"].rpartition("A:")[2].strip()
        for solution in row.values():
            if not isinstance(solution, dict):
                continue
            answer = solution["solution"].rpartition("A:")[2].strip()
            request = Request(domain="math", response=answer, reference=reference, bare=True)
            verdict = verify(request)
            seconds.append(verdict.seconds)
            total += 1
            if (verdict.score == 1.0) == solution["is_correct"]:
                agreed += 1
            else:
                print(f"disagrees: {reference!r} {answer[:60]!r} {verdict.detail}")
    _report("GSM8K answers", seconds)
    print(f"GSM8K agreement: {agreed} of {total}")
    return agreed == total


if __name__ == "__main__":
    sys.exit(main())
