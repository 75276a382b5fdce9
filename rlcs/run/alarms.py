"""Alarms: signs in a run's own numbers that something is broken, each with its evidence.

A rule looks at each row of ``steps.jsonl`` as it comes, beside what was usual before. An alarm is
raised in the step in which its rule first holds, and again only after a step in which it did not.

Left out: what one run's log cannot tell, such as whether a reward is the right one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

USUAL_STEPS = 50
"""Steps before the present one that say what is usual."""
FEWEST_STEPS = 10
"""No rule about what is usual speaks before so many steps."""

ERROR_SHARE = 0.05
TRUNCATED_SHARE = 0.5
MISMATCH_NATS = 0.1
LENGTH_FACTOR = 2.0
ENTROPY_FACTOR = 0.2
STALL_FACTOR = 5.0
STALL_SECONDS = 30.0
FALL_BY = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """One alarm."""

    step: int
    kind: str
    """A short name of the rule, such as ``verifier errors``."""
    text: str
    """What was found, what is usual, and what to look at, in one or two sentences."""

    @property
    def line(self) -> str:
        """The alarm as a line of plain text."""
        return f"alarm in step {self.step}: {self.kind}. {self.text}"

    def as_json(self) -> dict[str, Any]:
        """The alarm as a row of ``log/alarms.jsonl``."""
        return asdict(self)


class AlarmWatch:
    """Looks at the steps and evaluations of one run, in their order."""

    def __init__(self) -> None:
        self.active: dict[str, Alarm] = {}
        """By kind, the alarms whose rules held in the last step."""
        self._lengths: deque[float] = deque(maxlen=USUAL_STEPS)
        self._seconds: deque[float] = deque(maxlen=USUAL_STEPS)
        self._entropies: list[float] = []
        self._rates: list[float] = []
        self._best: tuple[float, float] | None = None

    def step(self, row: Mapping[str, Any]) -> list[Alarm]:
        """The alarms that begin with this row of ``steps.jsonl``."""
        step = row.get("step")
        if type(step) is not int:
            return []
        found = dict(self._rules(row))
        kept = {kind: alarm for kind, alarm in self.active.items() if kind == FALLING}
        new = []
        for kind, text in found.items():
            alarm = self.active.get(kind) or Alarm(step=step, kind=kind, text=text)
            new += [] if kind in self.active else [alarm]
            kept[kind] = alarm
        self.active = kept
        return new

    def evaluation(self, step: int, accuracy: float | None) -> list[Alarm]:
        """The alarm that begins with this evaluation, if any."""
        rate = fmean(self._rates[-USUAL_STEPS:]) if self._rates else None
        if accuracy is None:
            return []
        if self._best is None or accuracy >= self._best[0]:
            self._best = (accuracy, rate if rate is not None else 0.0)
            self.active.pop(FALLING, None)
            return []
        best, rate_then = self._best
        falls = accuracy < best - FALL_BY and rate is not None and rate >= rate_then
        if not falls or FALLING in self.active:
            return []
        text = (
            f"Held-out accuracy fell from {best:.1%} to {accuracy:.1%} while the pass rate of what "
            f"is drawn went from {rate_then:.1%} to {rate:.1%}: look at completions that pass, the "
            "reward may be earned without solving the problem."
        )
        alarm = Alarm(step=step, kind=FALLING, text=text)
        self.active[FALLING] = alarm
        return [alarm]

    def _rules(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        learner = row.get("learner")
        learner = learner if isinstance(learner, Mapping) else {}
        yield from self._of_judging(row)
        yield from self._of_length(row)
        yield from self._of_learning(learner, _parts(row, "groups"))
        yield from self._of_time(_parts(row, "seconds"))
        if (rate := _number(row, "pass_rate")) is not None:
            self._rates.append(rate)

    def _of_judging(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        errors, number = _number(row, "errors"), _number(row, "completions")
        if errors and number and errors / number >= ERROR_SHARE:
            yield (
                "verifier errors",
                f"{errors:.0f} of {number:.0f} completions could not be judged: look at the "
                "verifiers' outcomes by domain.",
            )
        truncated = _number(row, "truncated")
        if truncated is not None and truncated >= TRUNCATED_SHARE:
            yield (
                "truncation",
                f"{truncated:.0%} of the completions ran out of tokens: raise the budget, or look "
                "at whether they go round in circles.",
            )

    def _of_length(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        tokens, number = _number(row, "tokens"), _number(row, "completions")
        if not tokens or not number:
            return
        length = tokens / number
        if len(self._lengths) >= FEWEST_STEPS:
            usual = median(self._lengths)
            if length > usual * LENGTH_FACTOR or length * LENGTH_FACTOR < usual:
                what = "grew" if length > usual else "shrank"
                yield (
                    f"length {what}",
                    f"Completions {what} to {length:.0f} tokens, usual were {usual:.0f}: look at "
                    "some of them.",
                )
        self._lengths.append(length)

    def _of_learning(
        self, learner: Mapping[str, Any], groups: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        mismatch = _number(learner, "mismatch")
        if mismatch is not None and mismatch >= MISMATCH_NATS:
            yield (
                "mismatch",
                f"The sampling policy and the learner's differ by {mismatch:.3f} nats a token "
                f"(expected below {MISMATCH_NATS}): look at precision, staleness and the engine.",
            )
        if skipped := _number(learner, "num_skipped"):
            yield (
                "skipped updates",
                f"{skipped:.0f} updates were skipped because their gradient was not finite.",
            )
        if groups and not _number(groups, "trained"):
            yield "nothing to learn from", "No group of this step was trained on."
        entropy = _number(learner, "entropy")
        if entropy is None:
            return
        if len(self._entropies) >= FEWEST_STEPS:
            usual = fmean(self._entropies[:FEWEST_STEPS])
            if entropy < usual * ENTROPY_FACTOR:
                yield (
                    "entropy collapse",
                    f"The entropy fell to {entropy:.3f} nats a token, at the start it was "
                    f"{usual:.3f}: the model hardly tries other answers any more.",
                )
        if len(self._entropies) < FEWEST_STEPS:
            self._entropies.append(entropy)

    def _of_time(self, seconds: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        whole = _number(seconds, "step")
        if whole is None:
            return
        if len(self._seconds) >= FEWEST_STEPS:
            usual = median(self._seconds)
            if whole > max(STALL_SECONDS, STALL_FACTOR * usual):
                longest = max(
                    (name for name in seconds if name != "step"),
                    key=lambda name: _number(seconds, name) or 0.0,
                    default="unknown",
                )
                yield (
                    "stall",
                    f"The step took {whole:.0f} s, usual are {usual:.1f} s; the longest part of it "
                    f"was {longest}.",
                )
        self._seconds.append(whole)


FALLING = "reward parts from held-out"


def _number(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if usable and value is not None else None


def _parts(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}
