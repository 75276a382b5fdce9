"""The curriculum's section of the configuration: one strict section for each kind of curriculum."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field

from curricula import SETTINGS
from curricula.study.samplers import STUDY_SETTINGS
from rlcs.config.declared import DeclaredSection, declare


class CurriculumSection(DeclaredSection):
    """Base of the sections of all kinds; ``settings`` is what its curriculum is made with."""

    kind: str


def _section(kind: str) -> type[CurriculumSection]:
    name = f"{kind.title().replace('_', '').replace('/', '')}CurriculumSection"
    members = {"kind": (Literal[kind], kind)}
    return declare(name, _DECLARED[kind], base=CurriculumSection, members=members)


_DECLARED = {**SETTINGS, **STUDY_SETTINGS}
SECTIONS: dict[str, type[CurriculumSection]] = {kind: _section(kind) for kind in _DECLARED}
"""The section of each kind, the published samplers (`study/...`) for comparisons among them."""

AnyCurriculumSection: Any = Annotated[Union[tuple(SECTIONS.values())], Field(discriminator="kind")]  # noqa: UP007
