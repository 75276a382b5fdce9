"""What an actor's failure is called: for the user, for the log, and as an error."""

from __future__ import annotations

import dataclasses

import ray

from rlcs.cluster.faults import Fault
from rlcs.cluster.fetch import free_resources, store_full
from rlcs.cluster.stacks import stack_of
from rlcs.errors import EngineError, RlcsError, first_line
from rlcs.rollout.slots import Slot, Task


def fault_of(slot: Slot, task: Task, error: Exception) -> Fault:
    """What is told of ``error``, which the actor of ``slot`` met while it did ``task``."""
    stalled = isinstance(error, TimeoutError)
    died = isinstance(error, ray.exceptions.RayActorError)
    place = slot.place()
    return Fault(
        what=f"{slot.name} "
        + ("stopped answering" if stalled else "died" if died else f"failed to {task.asked}")
        + ":",
        detail=first_line(error)
        + ("" if place else f" It never came up; the cluster has free {free_resources()}."),
        problem_ids=task.work_item.problem_ids if task.work_item else (),
        node=place.host if place else "",
        pid=place.pid if place else None,
        stack=stack_of(place) if stalled and place else "",
        remedy="It is replaced, and its problems are handed out again."
        if task.work_item
        else "It is replaced.",
    )


def cause_of(error: ray.exceptions.RayError) -> Exception:
    """The error as it was raised in the actor, where it is one of ours."""
    if isinstance(error, ray.exceptions.OutOfDiskError | ray.exceptions.ObjectStoreFullError):
        return store_full("what an actor drew")  # also where it was met in a task
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, RlcsError) else error


def error_of(error: Exception, fault: Fault) -> Exception:
    """What the user is told when the fault cannot be mended."""
    if isinstance(error, RlcsError | ray.exceptions.RayTaskError):
        return error  # says it itself; of a bug, the traceback is what helps
    remedy = (
        "This cannot be mended by trying again. A training run can go on from its last checkpoint "
        "(rlcs train --resume RUN), a grading by the same call. If the machine ran out of memory, "
        "it needs more, or a new run a lower rollout.batch_tokens."
    )
    return EngineError(str(dataclasses.replace(fault, remedy=remedy)))
