"""The one table of notations in which models write boxes and points, and who writes which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rewards.grounding.answers import NOTATIONS, Notation

DialectName = Literal[
    "auto", "plain", "glm", "qwen_vl", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "internvl"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a family of models writes boxes and points.

    name: as the setting gives it. models: who writes it. notations: what is read. space: the
    coordinate space where a reference declares none, or None. source: where it is defined.
    """

    name: str
    models: str
    notations: frozenset[Notation]
    space: str | None
    source: str

    @property
    def writes_points(self) -> bool:
        """Whether it has a notation for points."""
        return bool(self.notations - {"box_tags"})


_JSON: frozenset[Notation] = frozenset({"json"})
_QWEN = "https://github.com/QwenLM/Qwen3-VL"
DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="auto",
            models="any; one notation in an answer",
            notations=NOTATIONS,
            space=None,
            source="rewards/README.md",
        ),
        Dialect(
            name="plain",
            models="yours, if you tell it to",
            notations=_JSON,
            space=None,
            source="rewards/README.md",
        ),
        Dialect(
            name="glm",
            models="GLM-4.1V, GLM-4.5V, GLM-4.6V",
            notations=_JSON,
            space="norm999",
            source="https://github.com/zai-org/GLM-V",
        ),
        Dialect(
            name="qwen_vl",
            models="Qwen-VL",
            notations=frozenset({"box_tags"}),
            space="norm1000",
            source="https://github.com/QwenLM/Qwen-VL",
        ),
        Dialect(
            name="qwen2_vl",
            models="Qwen2-VL",
            notations=frozenset({"box_tokens"}),
            space="norm1000",
            source=_QWEN,
        ),
        Dialect(
            name="qwen2_5_vl",
            models="Qwen2.5-VL: pixels of the resized picture",
            notations=_JSON,
            space="pixel",
            source=_QWEN,
        ),
        Dialect(
            name="qwen3_vl",
            models="Qwen3-VL",
            notations=_JSON,
            space="norm1000",
            source=_QWEN,
        ),
        Dialect(
            name="internvl",
            models="InternVL",
            notations=frozenset({"box_tags"}),
            space="norm1000",
            source="https://github.com/OpenGVLab/InternVL",
        ),
    )
}
"""Every dialect by its name."""
_TAGS: dict[Notation, tuple[str, str]] = {
    "box_tags": ("<ref>{}</ref>", "<box>{}</box>"),
    "box_tokens": (
        "<|object_ref_start|>{}<|object_ref_end|>",
        "<|box_start|>{}<|box_end|>",
    ),
}


def tagged(
    dialect: Dialect, places: Sequence[Sequence[float]], labels: Sequence[str | None]
) -> str:
    """Write boxes or points, with their labels where there are any, in a dialect with tags."""
    (notation,) = dialect.notations
    label_tags, place_tags = _TAGS[notation]
    written = []
    for place, label in zip(places, labels, strict=True):
        corners = [f"({x},{y})" for x, y in zip(place[::2], place[1::2], strict=True)]
        name = "" if label is None else label_tags.format(label)
        written.append(name + place_tags.format(",".join(corners)))
    return "\n".join(written)
