"""Code that a configuration names: whose it is, and whether it may run here.

``verifier: module:function`` is imported by whoever uses the configuration. In a configuration that
users name themselves this is their own wish. The configuration of a *run folder* may be somebody
else's, and the module may lie beside it: there, code runs only if it was allowed on this machine
before, by the same bytes of its file, or is allowed now by ``--trust-code`` or at the terminal.

What was allowed is remembered outside of every run folder, in
``~/.local/state/rlcs/allowed_code.jsonl`` (or under XDG_STATE_HOME): a line for each, with the name
and the SHA-256 of the file and of its packages' ``__init__.py``. Using an own configuration allows
what it names, so that going on with one's own run never asks.

vLLM's own options (``rollout.vllm.extra``) may name classes, plug-ins or files, too. Those of a
run folder that are not known to load nothing need ``--trust-code`` each time: what a name stands
for may change, and there is no file to remember it by.

Left out: what such a module imports in its turn.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from rewards.shown import shown
from rlcs.config import load_config
from rlcs.config.vllm_options import needing_trust
from rlcs.errors import ConfigError, UntrustedCodeError
from rlcs.run.folder import CONFIG_NAME

ConfigT = TypeVar("ConfigT", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedCode:
    """A verifier that a configuration names."""

    domain: str
    name: str
    """``module:function``"""
    files: tuple[Path, ...]
    """The module's file and those of the packages around it; empty where it is not found."""

    @property
    def digest(self) -> str:
        """Changes with the name and with every byte of the files."""
        digest = hashlib.sha256(self.name.encode())
        for file in self.files:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()

    def __str__(self) -> str:
        where = f"from {self.files[-1]}" if self.files else "which is not found here"
        return f"{self.name} ({where}), the verifier of the domain {self.domain}"


def load_trusted(
    path: str | Path, overrides: Sequence[str], *, kind: type[ConfigT], trust_code: bool
) -> ConfigT:
    """Load a configuration whose code may run: the way in for every command that uses one.

    Raises:
        ConfigError: it cannot be used.
        UntrustedCodeError: it is a run folder's, and names code that nobody has allowed.
    """
    config = load_config(path, overrides, kind=kind)
    whole: Any = config
    codes = [
        NamedCode(domain=domain, name=name, files=tuple(find_files(name)))
        for domain, name in whole.scoring.custom_verifiers().items()
    ]
    foreign = is_of_run(Path(path))
    models = list(getattr(whole, "models", None) or [whole.model])
    if foreign and not trust_code:
        if any(model.trust_code for model in models):
            raise ConfigError(
                f"{path}: trust_code is for you to decide, and no run folder says it for you. Take "
                "it out, and give --trust-code if you want it."
            )
        _refuse_options(path, whole)
        _ask(path, [code for code in codes if not is_allowed(code)])
    allow(codes)
    return with_trust(config) if trust_code else config


def _refuse_options(path: str | Path, config: Any) -> None:
    """Return if the options of vLLM that a run folder's ``config`` names load nothing."""
    rollout = getattr(config, "rollout", None)  # a cold start has none
    if rollout is None or rollout.engine != "vllm":
        return
    if named := needing_trust(rollout.vllm.extra):
        raise UntrustedCodeError(
            f"{path} is a run folder's configuration and gives vLLM options that may run code or "
            f"load files: {', '.join(f'rollout.vllm.extra.{name}' for name in named)}. Look at "
            "them, and allow them by --trust-code, or take them out."
        )


def is_of_run(path: Path) -> bool:
    """Whether a configuration lies in a run folder, at any depth."""
    return any((folder / CONFIG_NAME).exists() for folder in path.resolve().parents)


def with_trust(config: ConfigT) -> ConfigT:
    """``config``, whose models may run code of their own folders."""
    whole: Any = config
    if hasattr(whole, "models"):
        models = [model.model_copy(update={"trust_code": True}) for model in whole.models]
        return config.model_copy(update={"models": models})
    model = whole.model.model_copy(update={"trust_code": True})
    return config.model_copy(update={"model": model})


def find_files(name: str) -> Iterator[Path]:
    """The files that importing ``module:function`` would run first; none of them is run."""
    search: list[str] | None = None
    for part in _prefixes(name.partition(":")[0]):
        spec: ModuleSpec | None = PathFinder.find_spec(part, search)
        if spec is None:
            return
        if spec.origin is not None and Path(spec.origin).is_file():
            yield Path(spec.origin)
        search = list(spec.submodule_search_locations or ())


def is_allowed(code: NamedCode) -> bool:
    """Whether this very code was allowed on this machine before."""
    if not code.files:
        return False
    try:
        lines = _record().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    digest = code.digest
    return any(digest in line for line in lines)


def allow(codes: Sequence[NamedCode]) -> None:
    """Remember that these may run. Where that cannot be written, they are asked about again."""
    for code in codes:
        if not code.files or is_allowed(code):
            continue
        row = {"name": code.name, "sha256": code.digest, "file": str(code.files[-1])}
        try:
            _record().parent.mkdir(parents=True, exist_ok=True)
            with _record().open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError:
            return


def _ask(path: str | Path, codes: Sequence[NamedCode]) -> None:
    """Return if these may run; they come from a run folder, and nobody has allowed them."""
    if not codes:
        return
    named = "; ".join(map(str, codes))
    what = f"{path} is a run folder's configuration and names code that would run here: {named}."
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        print(shown(f"{what} Have you looked at it?"), file=sys.stderr)
        print("run it, now and later? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise UntrustedCodeError(
        f"{what} Look at it, and allow it by --trust-code; this is remembered until its file "
        "changes."
    )


def _prefixes(module: str) -> list[str]:
    """``a.b.c`` as ``a``, ``a.b``, ``a.b.c``."""
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _record() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "state"
    )
    return Path(home) / "rlcs" / "allowed_code.jsonl"
