"""Which verifier judges which domain, and the one path every check takes.

extract → the domain's rules → (when the rules leave it open and a judge is configured) the
judge → Verdict. Whatever a rule raises becomes an ERROR verdict: ours, never the model's.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from rewards.errors import (
    AlgebraNeeded,
    AnswerError,
    BadReferenceError,
    SettingsError,
    UnknownDomainError,
)
from rewards.extraction import Extraction, ExtractionSettings, extract, extract_bare
from rewards.settings import Settings, build_settings, unknown_name
from rewards.verdict import Finding, Outcome, Request, Verdict, unparseable

if TYPE_CHECKING:
    from rewards.judge.verifier import JudgeVerifier

MAX_ANSWER_CHARACTERS = 2_000_000
SHOWN_CHARACTERS = 500
_EXTRACTION = "extraction"
_ROUNDING = 1e-12  # a score this little under a pass mark still passes


S = TypeVar("S", bound=Settings)


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
    "choice": _Entry("rewards.short.choice", "ChoiceVerifier", "NoSettings"),
    "counting": _Entry("rewards.short.counting", "CountingVerifier", "NoSettings"),
    "grounding": _Entry("rewards.grounding.verifier", "GroundingVerifier", "GroundingSettings"),
    "gui": _Entry("rewards.gui.verifier", "GuiVerifier", "GuiSettings"),
    "judge": _Entry("rewards.judge.verifier", "JudgeVerifier", "JudgeSettings"),
    "math": _Entry("rewards.math.verifier", "MathVerifier", "MathSettings"),
    "ocr": _Entry("rewards.short.ocr", "OcrVerifier", "OcrSettings"),
    "physics": _Entry("rewards.science", "PhysicsVerifier", "ScienceSettings"),
    "text": _Entry("rewards.short.text", "TextVerifier", "TextSettings"),
    "vqa": _Entry("rewards.short.vqa", "VqaVerifier", "NoSettings"),
}


def domains() -> list[str]:
    """Return the names of the built-in domains, sorted."""
    return sorted(_DOMAINS)


def settings_class(domain: str) -> type[Settings]:
    """Return the settings of a built-in domain, or of the section "extraction".

    The verifier's module is imported for it. Raises UnknownDomainError for another name.
    """
    if domain == _EXTRACTION:
        return ExtractionSettings
    if domain not in _DOMAINS:
        raise UnknownDomainError(domain, [*_DOMAINS, _EXTRACTION])
    entry = _DOMAINS[domain]
    found: type[Settings] = getattr(importlib.import_module(entry.module), entry.settings)
    return found


class Registry:
    """The verifiers of one configuration.

    custom: name → "package.module:function", a function from Request to Verdict; it may replace
    a built-in domain. settings: domain → its settings; "extraction" and "judge" are sections
    of their own. pass_marks: domain → the score in [0, 1] from which a verdict counts as passed,
    in place of the verifier's own. Raises SettingsError for a section, a domain or a name that
    does not exist, and for a value that does not fit.
    """

    def __init__(
        self,
        custom: Mapping[str, str] = {},
        settings: Mapping[str, Mapping[str, Any]] = {},
        pass_marks: Mapping[str, float] = {},
    ) -> None:
        self._custom = dict(custom)
        self._settings = dict(settings)
        for section in self._settings:
            if section in self._custom:
                raise SettingsError(
                    f"{section}: expected no settings, because {self._custom[section]} is a "
                    "verifier of your own and takes none."
                )
            if section not in (*_DOMAINS, _EXTRACTION):
                known = [*_DOMAINS, _EXTRACTION]
                raise SettingsError(unknown_name("settings section", section, known))
        self._extraction = self._section(ExtractionSettings, _EXTRACTION)
        for domain, mark in pass_marks.items():
            if domain not in self.domains():
                raise SettingsError(f"pass marks: {unknown_name('domain', domain, self.domains())}")
            _check_pass_mark(domain, mark)
        self._pass_marks = dict(pass_marks)
        self._verifiers: dict[str, DomainVerifier] = {}
        self._functions: dict[str, Callable[[Request], Verdict]] = {}
        for section in self._settings:
            if section in _DOMAINS:
                self._verifier(section)  # refuses unfit settings now, not at the first request

    def domains(self) -> list[str]:
        """Return the names of the domains that can be judged, sorted."""
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
        importlib.import_module("scipy.optimize")  # charts match the cells of tables by it
        judge = self._judge()
        if judge is not None:
            judge.warm_up()

    def pass_mark(self, domain: str) -> float:
        """Return the score from which a verdict of ``domain`` counts as passed.

        It is the mark that was given for the domain, or else the verifier's own. Raises
        SettingsError for a user's verifier that does not import or whose mark does not fit.
        """
        if domain in self._pass_marks:
            return self._pass_marks[domain]
        if domain not in self._custom:
            return self._verifier(domain).pass_mark
        mark = getattr(self._function(domain), "pass_mark", 1.0)
        _check_pass_mark(domain, mark)
        return float(mark)

    def passed(self, domain: str, verdict: Verdict) -> bool:
        """Return whether ``verdict`` is a pass: the one definition. Our own failures never are."""
        return not verdict.ours_failed and verdict.score >= self.pass_mark(domain) - _ROUNDING

    def extra_seconds(self, domain: str) -> float:
        """Return the seconds that a request of ``domain`` may need for a judge; 0 without one."""
        judge = self._judge()
        return judge.deadline_seconds if judge is not None and judge.serves(domain) else 0.0

    def judge(self, request: Request) -> Verdict:
        """Judge one request. Raises UnknownDomainError, and AlgebraNeeded outside a worker."""
        started = time.perf_counter()
        if request.domain in self._custom:
            return _call_custom(self._function(request.domain), request, started)
        verifier = self._verifier(request.domain)
        if request.bare:
            extraction = extract_bare(request.response, self._extraction)
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
                return judge.consult(extraction.text, request)
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
            settings = self._section(getattr(module, entry.settings), domain)
            verifier = self._verifiers[domain] = getattr(module, entry.verifier)(settings)
        return verifier

    def _section(self, kind: type[S], name: str) -> S:
        return build_settings(kind, self._settings.get(name, {}), name)

    def _function(self, domain: str) -> Callable[[Request], Verdict]:
        function = self._functions.get(domain)
        if function is None:
            function = self._functions[domain] = import_function(self._custom[domain])
        return function


def _check_pass_mark(domain: str, mark: Any) -> None:
    """Raise SettingsError for a pass mark that is no number in [0, 1]."""
    is_number = isinstance(mark, int | float) and not isinstance(mark, bool)
    if not is_number or not 0 <= mark <= 1:
        raise SettingsError(
            f"pass mark of {domain}: expected a number from 0 to 1, found {mark!r}."
        )


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
        return _sound(function(request))
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


def _sound(verdict: Any) -> Verdict:
    """A user's verdict with plain numbers. Raises TypeError for what is none, or ill-typed."""
    if not isinstance(verdict, Verdict):
        raise TypeError(f"expected a Verdict, found {type(verdict).__name__}")
    for name, kinds in _VERDICT_FIELDS.items():
        if not isinstance(value := getattr(verdict, name), kinds):
            raise TypeError(f"expected {name} of a Verdict as its type says, found {value!r}")
    return replace(verdict, score=float(verdict.score), seconds=float(verdict.seconds))


_VERDICT_FIELDS: dict[str, Any] = {
    "outcome": Outcome,
    "score": Real,
    "extracted": str | None,
    "detail": str,
    "seconds": Real,
}


@cache
def default_registry() -> Registry:
    """Return the built-in verifiers with their default settings."""
    return Registry()


@lru_cache(maxsize=256)
def pass_mark(domain: str) -> float:
    """Return the default pass mark of a built-in domain."""
    return default_registry().pass_mark(domain)


def passed(domain: str, verdict: Verdict) -> bool:
    """Return whether ``verdict`` is a pass by the default pass mark of a built-in domain."""
    return default_registry().passed(domain, verdict)
