"""Physics and chemistry: quantities with units and a tolerance, formulae and equations.

Values are measured, so a tolerance applies (setting, 1 % by default); units follow the rules of
math: missing is fine, convertible is compared, contradictory is wrong. What no rule decides is
marked undecided, for a judge (GLM-4.1V calls one whenever a unit is present).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from rewards.charts.verifier import yes_no
from rewards.errors import AnswerError
from rewards.math.comparing.comparison import value_of
from rewards.math.evaluating import units
from rewards.math.evaluating.exact import TooLarge, Undefined
from rewards.math.evaluating.numeric import Evaluator, Unevaluable, context
from rewards.math.reading.answers import parse
from rewards.math.tree import Node, Number, Product, Quantity, Sum, symbols
from rewards.math.verifier import MathSettings, MathVerifier
from rewards.settings import Setting, Settings
from rewards.text import choice
from rewards.text.references import reference_text
from rewards.verdict import Finding, Outcome, Request, correct, wrong

_MAX_CHARACTERS = 4_096


@dataclass(frozen=True, kw_only=True)
class ScienceSettings(Settings):
    """How answers of physics and chemistry are judged."""

    tolerance: Annotated[
        float,
        Setting(
            description="How far a value with a decimal point or a unit may be from the "
            "reference, as a share of it, inclusive.",
            ge=0,
            lt=1,
        ),
    ] = 0.01


class PhysicsVerifier:
    """Judges physical quantities and expressions."""

    pass_mark = 1.0

    def __init__(self, settings: ScienceSettings) -> None:
        self._tolerance = settings.tolerance
        self._math = MathVerifier(MathSettings())

    def judge(self, answer: str, request: Request) -> Finding:
        """Judge as math does, then with the tolerance."""
        finding = self._math.judge(answer, request)
        if finding.outcome is Outcome.CORRECT:
            return finding
        if len(answer) > _MAX_CHARACTERS:
            return finding
        try:
            expected = parse(reference_text(request.reference))
            found = value_of(parse(answer), expected)
            if self._within(expected, found):
                return correct("within the tolerance")
        except (AnswerError, Unevaluable, TooLarge, Undefined):
            pass
        return Finding(finding.outcome, finding.detail, 0.0, undecided=_is_worded(answer))

    def _within(self, expected: Node, found: Node) -> bool:
        value, other, measured = _common_unit(expected, found)
        if other is None or symbols(value) or symbols(other):
            return False
        if not measured and not _is_decimal(value) and not _is_decimal(other):
            return False
        mp = context()
        one, two = Evaluator({}).value(value), Evaluator({}).value(other)
        if not mp.isfinite(one) or not mp.isfinite(two) or mp.im(one) or mp.im(two):
            return False
        return bool(abs(one - two) <= mp.mpf(self._tolerance) * abs(one) * (1 + mp.mpf(10) ** -20))


def _common_unit(expected: Node, found: Node) -> tuple[Node, Node | None, bool]:
    """Both values in the reference's unit; None for a contradictory one."""
    one = expected if isinstance(expected, Quantity) else Quantity(expected, ())
    two = found if isinstance(found, Quantity) else Quantity(found, ())
    measured = bool(one.unit or two.unit)
    if (one.unit and two.noun) or (one.noun and two.unit):
        return one.value, None, measured
    if not one.unit or not two.unit or one.unit == two.unit:
        return one.value, two.value, measured
    conversion = units.conversion(two.unit, one.unit)
    if conversion is None:
        return one.value, None, measured
    scaled = Sum((Product((Number(conversion[0]), two.value)), Number(conversion[1])))
    return one.value, scaled, measured


def _is_decimal(node: Node) -> bool:
    return isinstance(node, Number) and node.places > 0


def _is_worded(answer: str) -> bool:
    return len(re.findall(r"[A-Za-z]{3,}", answer)) >= 3


class ChemistryVerifier:
    """Judges formulae, equations, and otherwise as physics."""

    pass_mark = 1.0

    def __init__(self, settings: ScienceSettings) -> None:
        self._physics = PhysicsVerifier(settings)

    def judge(self, answer: str, request: Request) -> Finding:
        """Compare formulae by what is written, equations by their terms up to a common factor."""
        reference = reference_text(request.reference)
        expected = _read_equation(reference)
        is_word = choice.reference_letters(reference) or yes_no(reference) is not None
        if expected is None or is_word:
            return self._physics.judge(answer, request)
        if len(answer) > _MAX_CHARACTERS:
            raise AnswerError(f"longer than {_MAX_CHARACTERS} characters")
        found = _read_equation(answer)
        if found is None:
            return wrong("not a formula", undecided=_is_worded(answer))
        return correct("the same formula") if found == expected else wrong("another formula")


_ELEMENTS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm
Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No
Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
_SYMBOL = "|".join(sorted(_ELEMENTS.split(), key=len, reverse=True))
_ATOM = rf"(?:(?:{_SYMBOL})\d{{0,3}}|[()\[\]]\d{{0,3}})"
_FORMULA = re.compile(rf"(?:{_ATOM}|[·.*]\d{{0,2}}(?={_ATOM}))+(?:\^?\{{?(?:\d?[+-]|[+-]\d?)\}}?)?")
_STATE = re.compile(r"\((?:s|l|g|aq)\)|[↑↓]|\\(?:uparrow|downarrow)")
_WHOLE_CE = re.compile(r"^\s*\$?\s*\\(?:ce|mathrm|text|rm)\s*\{(.*)\}\s*\$?\s*$", re.DOTALL)
# CuSO4.5H2O, CuSO4*5H2O and CuSO4·5H2O
_HYDRATE = re.compile(r"(?<=[\w)}\]])\s*(?:[.*•∙⋅・]|\\cdot|\\bullet)\s*(?=\d{0,2}H_?\{?2)")
_ARROW = re.compile(
    r"\\(?:rightleftharpoons|xrightarrow|longrightarrow|rightarrow|to|leftrightarrow)(?:\{[^{}]*\})?"
    r"|<?=+>?|[-—]+>|→|⇌|⟶|<[-=]+>"
)
_DRESS = re.compile(r"\\(?:ce|text|mathrm|mathbf|rm)\b|\\[,;!: ]|[\s$]|\\(?:left|right)(?![a-z])")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻−", "01234567890123456789+--")

Side = tuple[tuple[str, Fraction], ...]


def _read_equation(text: str) -> tuple[Side, ...] | None:
    """A formula (one side) or an equation (two), coefficients reduced; None if it is neither."""
    if len(text) > _MAX_CHARACTERS:
        return None
    text = _HYDRATE.sub("·", _STATE.sub("", text.translate(_SUBSCRIPTS)))
    text = _WHOLE_CE.sub(r"\1", text)
    sides = [_DRESS.sub("", side) for side in _ARROW.split(text)]
    if len(sides) > 2 or not any(c.isupper() for c in text):
        return None
    read = [_read_side(side) for side in sides]
    if any(side is None for side in read):
        return None
    terms = [side for side in read if side is not None]
    if len(terms) == 1 and list(terms[0].values()) != [1]:
        return None  # "5 V" is a quantity
    first = min(terms[0].items())[1]
    return tuple(
        tuple(sorted((name, amount / first) for name, amount in side.items()))
        if len(terms) == 2
        else tuple(sorted(side.items()))
        for side in terms
    )


def _read_side(text: str) -> dict[str, Fraction] | None:
    """Formula → coefficient, for terms with + between them."""
    total: dict[str, Fraction] = {}
    for part in re.split(r"\+(?=\d*[A-Z(\[])", text):
        match = re.match(r"(\d{1,4}(?:/\d{1,4})?)?(.*)$", part, re.DOTALL)
        assert match is not None
        formula = re.sub(r"[_{}]", "", match[2]).replace("^", "")
        written = re.sub(r"_\{?(\d+)\}?", r"\1", match[2])
        if not formula or not _FORMULA.fullmatch(written.replace("{", "").replace("}", "")):
            return None
        total[formula] = total.get(formula, Fraction(0)) + Fraction(match[1] or 1)
    return total
