"""Results of Ray tasks, with Ray's errors turned into ours: the one place where that is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import ray

from rlcs.errors import EngineError, LostProcessError, RlcsError, StoreFullError, first_line

DEATH_SECONDS = 5
"""Seconds that a process whose peer failed may take to be found dead."""

ANSWER_SECONDS = 3600
"""Seconds that one call may take, unless another time is given."""


def fetch_start(references: Any, *, waiting_for: str, timeout: float) -> Any:
    """Fetch what processes answer when they start.

    A process that does not come up in time was not lost: there is no room for it, and trying again
    will not help. So lateness is an EngineError here, and everything else as in :func:`fetch`.
    """
    try:
        return fetch(references, waiting_for=waiting_for, timeout=timeout)
    except LostProcessError as error:
        if isinstance(error.__cause__, ray.exceptions.GetTimeoutError):
            raise EngineError(
                f"{error} The cluster has {_shortly(ray.cluster_resources())}, of which "
                f"{free_resources()} are free. Use fewer processes or a larger cluster; if a large "
                "model needs more time to load, raise faults.start_seconds."
            ) from error
        raise


def fetch(references: Any, *, waiting_for: str, timeout: float = ANSWER_SECONDS) -> Any:
    """Get results as ``ray.get`` does, with errors of ours: a task's own, a death, lateness.

    ``waiting_for`` names the work in the message, for example ``"rollout actor 0"``.

    Raises:
        LostProcessError: a process died, or did not answer within ``timeout`` seconds.
        RlcsError: what the process itself raised.
    """
    try:
        return ray.get(references, timeout=timeout)
    except ray.exceptions.GetTimeoutError as error:
        raise LostProcessError(
            f"waited {timeout:.0f} s for {waiting_for}, without an answer."
        ) from error
    except (ray.exceptions.OutOfDiskError, ray.exceptions.ObjectStoreFullError) as error:
        raise store_full(waiting_for) from error  # also where a task met it
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, RlcsError) else None
        if cause is not None:
            raise cause from None
        death = _find_death(references)
        if death is None:
            raise
        raise _died(waiting_for, death) from error
    except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
        raise _died(waiting_for, error) from error


def fetch_all(
    references: Sequence[Any], *, waiting_for: str, timeout: float = ANSWER_SECONDS
) -> list[Any]:
    """Get the results of several tasks as :func:`fetch` does; the first failure is raised."""
    results: list[Any] = fetch(list(references), waiting_for=waiting_for, timeout=timeout)
    return results


def first_answered(references: Sequence[Any], *, timeout: float) -> Any | None:
    """The first of some tasks that ends, well or not; None where none does within ``timeout`` s."""
    answered, _ = ray.wait(list(references), timeout=timeout)
    return answered[0] if answered else None


def outcome(reference: Any, *, result: str, timeout: float) -> tuple[Any, Exception | None]:
    """What a task of an actor answered, and the error it ended with, for those who mend it.

    The error is the one of ours that the actor raised, or a StoreFullError where a node had no
    room for the ``result`` (in words). Any other is as Ray tells it: :func:`is_death` and
    :func:`is_traceback` know two of them, and a TimeoutError is an answer that did not come over
    within ``timeout`` seconds.
    """
    try:
        return ray.get(reference, timeout=timeout), None
    except (ray.exceptions.OutOfDiskError, ray.exceptions.ObjectStoreFullError):
        return None, store_full(result)  # also where a task met it
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None)
        return None, cause if isinstance(cause, RlcsError) else error


def is_death(error: Exception) -> bool:
    """Whether an error of :func:`outcome` says that the actor died."""
    return isinstance(error, ray.exceptions.RayActorError)


def is_traceback(error: Exception) -> bool:
    """Whether an error of :func:`outcome` carries the traceback of a bug in the actor."""
    return isinstance(error, ray.exceptions.RayTaskError)


def store_full(what: str) -> StoreFullError:
    """The error to raise when ``what`` found no room in an object store."""
    return StoreFullError(
        f"{what}: the object store of a node is full, and so is the disk it falls back to. Look "
        "with `ray memory` and `df`; make room, or start the node with a larger "
        "--object-store-memory."
    )


@contextlib.contextmanager
def naming_full_store(what: str) -> Iterator[None]:
    """Turn what a full store raises within the block into our error, which names ``what``.

    The arguments of a remote call go through the store.
    """
    try:
        yield
    except (ray.exceptions.OutOfDiskError, ray.exceptions.ObjectStoreFullError) as error:
        raise store_full(what) from error


def free_resources() -> str:
    """The CPUs and GPUs of the cluster that are free, in words."""
    return _shortly(ray.available_resources())


def _find_death(references: Any) -> ray.exceptions.RayActorError | None:
    """The death behind a failed task: the peers of a dead rank fail too, and may be heard first."""
    for reference in references if isinstance(references, list) else [references]:
        try:
            ray.get(reference, timeout=DEATH_SECONDS)
        except ray.exceptions.RayActorError as error:
            return error
        except ray.exceptions.RayError:
            continue
    return None


def _died(what: str, error: ray.exceptions.RayError) -> LostProcessError:
    return LostProcessError(
        f"{what} died: {first_line(error)} A training run can go on from its last checkpoint "
        "(rlcs train --resume RUN), a grading by the same call. If the machine ran out of "
        "memory, lower rollout.batch_tokens or the learner's micro_batch_tokens."
    )


def _shortly(resources: dict[str, float]) -> str:
    shown = [f"{resources[name]:g} {name}" for name in ("CPU", "GPU") if name in resources]
    return ", ".join(shown) or "neither CPU nor GPU"
