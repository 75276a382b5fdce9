"""Whether the installed vLLM has the options that ``rollout.vllm.extra`` names."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

import vllm
from vllm.engine.arg_utils import EngineArgs

from rlcs.errors import ConfigError


def check_extra(extra: Mapping[str, Any]) -> None:
    """Check that every name in ``extra`` is an engine option.

    Raises:
        ConfigError: some are not; the message has a line for each, with the nearest names.
    """
    known = {field.name for field in dataclasses.fields(EngineArgs)}
    unknown = [_advice(name, known) for name in extra if name not in known]
    if unknown:
        raise ConfigError("\n".join(unknown))


def _advice(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    meant = f"Did you mean {' or '.join(near)}?" if near else "See vLLM's list of engine arguments."
    return f"rollout.vllm.extra.{name}: vLLM {vllm.__version__} has no such engine option. {meant}"
