"""Settings that make no sense are refused."""

import pytest
from worlds import make

from curricula import SettingsError


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("nope", {}, "rlcs, "),
        ("rlcs", {"nope": 1}, "tier_weights"),
        ("rlcs", {"exploration": float("nan")}, "exploration between 0 and 1"),
        ("rlcs", {"exploration": 1.5}, "exploration between 0 and 1"),
        ("rlcs", {"tier_weights": (1.0,)}, "expected 5 tier_weights"),
        ("rlcs", {"boundaries": (0.1, 0.9, 0.5, 0.2)}, "falling"),
        ("uniform", {"tiers": ("a",)}, "2 to 20"),
    ],
)
def test_bad_settings_are_refused(kind: str, settings: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        make(kind, **settings)
