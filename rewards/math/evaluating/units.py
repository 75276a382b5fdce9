"""Converting between units, by Pint, in a worker process only.

Pint takes half a second to start; so it is loaded where the algebra system is, and the factor of
a pair of units is kept.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from rewards import algebra
from rewards.math.reading.unit_names import CURRENCY_DEFINITIONS

Unit = tuple[tuple[str, Fraction], ...]


def conversion(source: Unit, target: Unit) -> tuple[Fraction, Fraction] | None:
    """Return the factor and the offset that take a value from ``source`` to ``target``.

    None means that one cannot be converted into the other.

    Raises AlgebraNeeded outside a worker process.
    """
    if source == target:
        return Fraction(1), Fraction(0)
    algebra.require()
    return _conversion(source, target)


@lru_cache(maxsize=4096)
def _conversion(source: Unit, target: Unit) -> tuple[Fraction, Fraction] | None:
    import pint

    units = registry()
    try:
        zero, one = (
            units.Quantity(Fraction(n), _unit(units, source)).to(_unit(units, target))
            for n in (0, 1)
        )
    except pint.errors.PintError:
        return None
    offset, step = Fraction(zero.magnitude), Fraction(one.magnitude) - Fraction(zero.magnitude)
    return step.limit_denominator(10**15), offset.limit_denominator(10**15)


def _unit(units: Any, unit: Unit) -> Any:
    total = units.Unit("dimensionless")
    for name, exponent in unit:
        power = int(exponent) if exponent.denominator == 1 else float(exponent)
        total = total * getattr(units, name) ** power
    return total


@cache
def registry() -> Any:
    """Return Pint's registry, with exact fractions and with currencies."""
    import pint

    made: Any = pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True)
    for definition in CURRENCY_DEFINITIONS:
        made.define(definition)
    return made
