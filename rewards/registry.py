"""Which verifier judges which domain, and the one path every check takes.

extract → the domain's rules → (when the rules leave it open and a judge is configured) the
judge → Verdict. Whatever a rule raises becomes an ERROR verdict: ours, never the model's.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from rewards.errors import (
    AlgebraNeeded,
    AnswerError,
    BadReferenceError,
    SettingsError,
    UnknownDomainError,
)
from rewards.extraction import Extraction, ExtractionSettings, extract, extract_bare
from rewards.verdict import Finding, Outcome, Request, Verdict, unparseable

if TYPE_CHECKING:
    from rewards.judge.verifier import JudgeVerifier

MAX_ANSWER_CHARACTERS = 2_000_000
SHOWN_CHARACTERS = 500

S = TypeVar("S")


class DomainVerifier(Protocol):
    """A domain's rules, built once from its settings."""

    pass_mark: float

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare the extracted answer with the reference."""
        ...


@dataclass(frozen=True)
class _Entry:
    """Where a domain's verifier lives; imported on first use to keep start-up cheap."""

    module: str
    verifier: str
    settings: str


_DOMAINS: dict[str, _Entry] = {
    "charts": _Entry("rewards.charts.verifier", "ChartsVerifier", "ChartsSettings"),
    "chemistry": _Entry("rewards.science", "ChemistryVerifier", "ScienceSettings"),
    "choice": _Entry("rewards.plain", "ChoiceVerifier", "ChoiceSettings"),
    "counting": _Entry("rewards.plain", "CountingVerifier", "CountingSettings"),
    "grounding": _Entry("rewards.grounding.verifier", "GroundingVerifier", "GroundingSettings"),
    "gui": _Entry("rewards.gui.verifier", "GuiVerifier", "GuiSettings"),
    "judge": _Entry("rewards.judge.verifier", "JudgeVerifier", "JudgeSettings"),
    "math": _Entry("rewards.math.verifier", "MathVerifier", "MathSettings"),
    "ocr": _Entry("rewards.plain", "OcrVerifier", "OcrSettings"),
    "physics": _Entry("rewards.science", "PhysicsVerifier", "ScienceSettings"),
    "text": _Entry("rewards.plain", "TextVerifier", "TextSettings"),
    "vqa": _Entry("rewards.plain", "VqaVerifier", "VqaSettings"),
}


def domains() -> list[str]:
    """Names of the built-in domains."""
    return sorted(_DOMAINS)


class Registry:
    """The verifiers of one configuration.

    custom: name → "package.module:function", a function from Request to Verdict; it may replace
    a built-in domain. settings: domain → its settings; "extraction" and "judge" are sections
    of their own. Raises SettingsError for a section or a name that does not exist.
    """

    def __init__(
        self,
        custom: Mapping[str, str] = {},
        settings: Mapping[str, Mapping[str, Any]] = {},
    ) -> None:
        self._custom = dict(custom)
        self._settings = {name: dict(section) for name, section in settings.items()}
        known = {*_DOMAINS, *self._custom, "extraction"}
        for section in self._settings:
            if section not in known:
                raise SettingsError(f"unknown settings section {section!r}; known: {sorted(known)}")
        self._extraction = build_settings(ExtractionSettings, self._settings.get("extraction", {}))
        self._verifiers: dict[str, DomainVerifier] = {}
        self._functions: dict[str, Callable[[Request], Verdict]] = {}
        for section in self._settings:
            if section in _DOMAINS:
                self._verifier(section)  # refuses unfit settings now, not at the first request

    def domains(self) -> list[str]:
        """Names that can be judged."""
        return sorted({*_DOMAINS, *self._custom})

    def warm_up(self) -> None:
        """Import what checks need, so that no check pays for it.

        Raises SettingsError for a user's verifier that does not import.
        """
        for domain in self._custom:
            self._function(domain)
        for domain in _DOMAINS:
            importlib.import_module(_DOMAINS[domain].module)
        importlib.import_module("mpmath")
        judge = self._judge()
        if judge is not None:
            judge.warm_up()

    def pass_mark(self, domain: str) -> float:
        """The score from which a verdict of ``domain`` counts as passed."""
        if domain in self._custom:
            return float(getattr(self._function(domain), "pass_mark", 1.0))
        return self._verifier(domain).pass_mark

    def passed(self, domain: str, verdict: Verdict) -> bool:
        """Whether ``verdict`` is a pass: ours failed never is."""
        return not verdict.ours_failed and verdict.score >= self.pass_mark(domain) - 1e-12

    def extra_seconds(self, domain: str) -> float:
        """Time a request of ``domain`` may need to ask a judge, in seconds; 0 without one."""
        judge = self._judge()
        return judge.deadline_seconds if judge is not None and judge.serves(domain) else 0.0

    def judge(self, request: Request) -> Verdict:
        """Judge one request. Raises UnknownDomainError, and AlgebraNeeded outside a worker."""
        started = time.perf_counter()
        if request.domain in self._custom:
            return _call_custom(self._function(request.domain), request, started)
        verifier = self._verifier(request.domain)
        if request.bare:
            extraction = extract_bare(request.response)
        else:
            extraction = extract(request.response, self._extraction)
        finding = self._find(verifier, extraction, request)
        return Verdict(
            outcome=finding.outcome,
            score=finding.score,
            extracted=None if extraction.text is None else extraction.text[:SHOWN_CHARACTERS],
            detail=finding.detail,
            seconds=time.perf_counter() - started,
        )

    def _find(self, verifier: DomainVerifier, extraction: Extraction, request: Request) -> Finding:
        if extraction.ambiguous:
            return Finding(Outcome.WRONG, extraction.detail)
        if extraction.text is None:
            return Finding(Outcome.NO_ANSWER, extraction.detail)
        if len(extraction.text) > MAX_ANSWER_CHARACTERS:
            return unparseable(f"longer than {MAX_ANSWER_CHARACTERS} characters")
        try:
            finding = verifier.judge(extraction.text, request)
            judge = self._judge()
            if finding.undecided and judge is not None and judge.serves(request.domain):
                return judge.ask(extraction.text, request)
            return finding
        except BadReferenceError as error:
            return Finding(Outcome.BAD_REFERENCE, str(error)[:SHOWN_CHARACTERS])
        except AnswerError as error:
            return unparseable(str(error)[:SHOWN_CHARACTERS])
        except (AlgebraNeeded, MemoryError):
            raise
        except Exception as error:
            detail = f"{type(error).__name__} in the verifier: {error}"
            return Finding(Outcome.ERROR, detail[:SHOWN_CHARACTERS])

    def _judge(self) -> JudgeVerifier | None:
        """The configured judge, if any."""
        if "judge" not in self._settings:
            return None
        return cast("JudgeVerifier", self._verifier("judge"))

    def _verifier(self, domain: str) -> DomainVerifier:
        verifier = self._verifiers.get(domain)
        if verifier is None:
            if domain not in _DOMAINS:
                raise UnknownDomainError(domain, self.domains())
            entry = _DOMAINS[domain]
            module = importlib.import_module(entry.module)
            settings = build_settings(
                getattr(module, entry.settings), self._settings.get(domain, {})
            )
            verifier = self._verifiers[domain] = getattr(module, entry.verifier)(settings)
        return verifier

    def _function(self, domain: str) -> Callable[[Request], Verdict]:
        function = self._functions.get(domain)
        if function is None:
            function = self._functions[domain] = import_function(self._custom[domain])
        return function


def build_settings(kind: type[S], values: Mapping[str, Any]) -> S:
    """Make a settings dataclass of ``kind``. Raises SettingsError for unknown names."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise SettingsError(f"unknown setting {name!r} of {kind.__name__}; known: {known}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def import_function(path: str) -> Callable[[Request], Verdict]:
    """Import "package.module:function". Raises SettingsError saying what is missing."""
    module_name, colon, name = path.partition(":")
    if not colon or not name:
        raise SettingsError(f"expected 'package.module:function', found {path!r}")
    try:
        function = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"cannot import the verifier {path!r}: {error}") from error
    if not callable(function):
        raise SettingsError(f"{path!r} is not callable")
    return function  # type: ignore[no-any-return]


def _call_custom(
    function: Callable[[Request], Verdict], request: Request, started: float
) -> Verdict:
    try:
        verdict = function(request)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"expected a Verdict, found {type(verdict).__name__}")
        return verdict
    except MemoryError:
        raise
    except Exception as error:
        return Verdict(
            outcome=Outcome.ERROR,
            score=0.0,
            extracted=None,
            detail=f"{type(error).__name__} in the verifier: {error}"[:SHOWN_CHARACTERS],
            seconds=time.perf_counter() - started,
        )


@cache
def default_registry() -> Registry:
    """The built-in verifiers with their default settings."""
    return Registry()


@lru_cache(maxsize=256)
def pass_mark(domain: str) -> float:
    """The default pass mark of a built-in domain."""
    return default_registry().pass_mark(domain)


def passed(domain: str, verdict: Verdict) -> bool:
    """Whether ``verdict`` is a pass by the default pass mark of a built-in domain."""
    return default_registry().passed(domain, verdict)
