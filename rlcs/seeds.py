"""Seeds as hashes of what they are for, so that no two purposes ever share a stream.

A sum such as ``run_seed + step`` gives neighbouring runs the same draws one step apart;
a hash of (run seed, purpose, step, problem) cannot.
"""

from __future__ import annotations

import hashlib


def derive_seed(run_seed: int, *purpose: int | str) -> int:
    """A seed in [0, 2**63) for ``purpose``, for example ``(7, "rollout", step, problem_id)``."""
    text = "\x1f".join([str(run_seed), *(f"{type(part).__name__}:{part}" for part in purpose)])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
