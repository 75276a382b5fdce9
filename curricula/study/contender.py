"""A curriculum to compare with others: its kind and settings, under a name of its own."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from curricula.errors import SettingsError
from curricula.study.samplers.settings import any_settings

USUAL = ("uniform", "dapo", "rlcs", "posterior", "frontier")
"""What is compared where nobody says what."""
IN_EPOCHS = ("uniform", "dapo")
"""Kinds that draw every problem once before any comes again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A curriculum to compare: its kind and settings, under a name of its own."""

    name: str
    kind: str
    settings: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Contender":
        """Make a contender from text such as `rlcs carry_over=true tier_weights=[0,1,2,1,0]`.

        The kind, then settings; values as in JSON, other words as they are. SettingsError names
        what is unknown or makes no sense.
        """
        try:
            kind, *given = shlex.split(text) or [""]
        except ValueError as error:
            raise SettingsError(f"expected a kind and settings, found {text!r}: {error}") from None
        settings: dict[str, object] = {}
        for pair in given:
            name, equals, value = pair.partition("=")
            if not equals:
                raise SettingsError(f"expected name=value after {kind!r}, found {pair!r}")
            settings[name] = _value(value)
        any_settings(kind, settings)
        return cls(name=" ".join([kind, *given]), kind=kind, settings=settings)


def _value(text: str) -> object:
    """A value typed as in JSON, or the word itself; what fits the setting is checked later."""
    try:
        return json.loads(text)
    except ValueError:
        return text
