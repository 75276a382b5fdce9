"""What of the optimiser lies on one rank, and how it is written and read.

DeepSpeed keeps float32 weights (the masters) and AdamW's moments of them in flat tensors; which
rank has which numbers of which parameter differs with the ZeRO stage. Here that is told once, as
spans; a state is written by the spans of the ranks that save it and read by the spans of those that
load it.

DeepSpeed's own checkpoints are left out: they load with the same number of ranks and the same stage
alone, are pickles, and hold the weights twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rlcs.errors import LearningError
from rlcs.learner.rank_settings import RankInfo
from rlcs.learner.state_files import (
    MOMENTS,
    WEIGHTS,
    StateReader,
    Stretch,
    Summary,
    write_stretches,
    write_summary,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Numbers of one parameter that lie together in a flat tensor of this rank."""

    name: str
    start: int
    """The place of the first in the flattened parameter."""
    offset: int
    """The place of the first in the flat tensor."""
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Master:
    """A float32 tensor that the optimiser steps on."""

    tensor: torch.Tensor
    spans: tuple[Span, ...]


class RankState:
    """The optimiser's state on one rank of a DeepSpeed engine."""

    def __init__(self, engine: Any, rank_info: RankInfo, zero_stage: int) -> None:
        self._engine = engine
        self._rank = rank_info.rank
        self._stage = zero_stage
        self._outer: Any = engine.optimizer
        self._inner: Any = getattr(engine.optimizer, "optimizer", engine.optimizer)

    def save(self, folder: Path) -> None:
        """Write what this rank keeps into ``folder``, which must be there; every rank calls it."""
        if self._stage > 0 or self._rank == 0:  # without ZeRO every rank has all
            write_stretches(folder, self._rank, self._stretches())
        if self._rank == 0:
            write_summary(folder, Summary(steps=self._steps(), shapes=self._shapes()))

    def load(self, folder: Path) -> None:
        """Load what :meth:`save` wrote, on any number of ranks of any stage; every rank calls it.

        Raises:
            LearningError: it is damaged, or the state of another model.
        """
        state = StateReader(folder)
        self._check_fit(state.summary.shapes)
        if self._stage == 3:
            self._outer.checkpoint_event_prologue()  # parameters that are whole are cut again
        for master in self._masters():
            self._load_master(master, state)
        self._refresh_weights()

    @torch.no_grad()
    def _load_master(self, master: Master, state: StateReader) -> None:
        known = self._inner.state[master.tensor]
        if not state.summary.steps:
            known.clear()
        targets = {WEIGHTS: master.tensor}
        if state.summary.steps:
            for kind in MOMENTS:  # in place: DeepSpeed may have views of them
                if kind not in known:
                    known[kind] = torch.zeros_like(master.tensor, requires_grad=False)
                targets[kind] = known[kind]
            known["step"] = self._step_number(master.tensor, state.summary.steps)
        for kind, target in targets.items():
            flat = target.view(-1)
            for span in master.spans:
                numbers = state.read(kind, span.name, span.start, span.length)
                flat.narrow(0, span.offset, span.length).copy_(numbers)

    def _step_number(self, master: torch.Tensor, steps: int) -> Any:
        """``steps`` as the optimiser keeps it: torch's as a tensor, DeepSpeed's as a number."""
        if not isinstance(self._inner, torch.optim.AdamW):
            return steps
        fused = bool(self._inner.defaults.get("fused"))
        return torch.tensor(float(steps), device=master.device if fused else "cpu")

    def _steps(self) -> int:
        known = self._inner.state.get(next(self._masters()).tensor, {})
        return int(known.get("step", 0))

    def _stretches(self) -> Iterator[Stretch]:
        for master in self._masters():
            known = self._inner.state.get(master.tensor, {})
            tensors = {WEIGHTS: master.tensor, **{kind: known[kind] for kind in MOMENTS if known}}
            for span in master.spans:
                numbers = {
                    kind: tensor.detach().view(-1).narrow(0, span.offset, span.length)
                    for kind, tensor in tensors.items()
                }
                yield Stretch(name=span.name, start=span.start, numbers=numbers)

    def _trained(self) -> dict[str, Any]:
        named = self._engine.module.named_parameters()
        return {name: parameter for name, parameter in named if parameter.requires_grad}

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            name: tuple(getattr(parameter, "ds_shape", parameter.shape))
            for name, parameter in self._trained().items()
        }

    def _check_fit(self, found: dict[str, tuple[int, ...]]) -> None:
        expected = self._shapes()
        differing = [
            name
            for name in sorted(expected.keys() | found.keys())
            if expected.get(name) != found.get(name)
        ]
        if differing:
            name = differing[0]
            raise LearningError(
                f"expected the state of {len(expected)} trained parameters, found one of "
                f"{len(found)}; {len(differing)} differ, the first is {name!r:.100}: expected "
                f"shape {expected.get(name)}, found {found.get(name)}."
            )

    def _masters(self) -> Iterator[Master]:
        """The tensors that this rank's optimiser steps on, with what of which parameter is where.

        The layouts are those of DeepSpeed 0.19: of stage 3 each parameter is cut into equal shares,
        the last one padded; of stages 1 and 2 all parameters stand one behind the other in one row,
        which is cut.
        """
        names = {id(parameter): name for name, parameter in self._trained().items()}
        if self._stage == 3:
            yield from self._masters_of_shares(names)
        elif self._stage > 0:
            yield from self._masters_of_rows(names)
        else:
            for parameter, tensor in self._whole_masters():
                span = Span(name=names[id(parameter)], start=0, offset=0, length=parameter.numel())
                yield Master(tensor=tensor, spans=(span,))

    def _whole_masters(self) -> Iterator[tuple[Any, torch.Tensor]]:
        if self._outer is self._inner:  # float32: the parameters themselves
            for group in self._inner.param_groups:
                yield from zip(group["params"], group["params"], strict=True)
            return
        for low, high in zip(self._outer.fp16_groups, self._outer.fp32_groups, strict=True):
            yield from zip(low, high, strict=True)

    def _masters_of_rows(self, names: dict[int, str]) -> Iterator[Master]:
        groups = self._outer.round_robin_bit16_groups
        offsets = self._outer.round_robin_bit16_offsets
        rows = self._outer.single_partition_of_fp32_groups
        for row, group, places in zip(rows, groups, offsets, strict=True):
            begin, spans = self._rank * row.numel(), []
            for parameter, place in zip(group, places, strict=True):
                first = max(place, begin)
                last = min(place + parameter.numel(), begin + row.numel())
                if first < last:
                    spans.append(
                        Span(
                            name=names[id(parameter)],
                            start=first - place,
                            offset=first - begin,
                            length=last - first,
                        )
                    )
            yield Master(tensor=row, spans=tuple(spans))

    def _masters_of_shares(self, names: dict[int, str]) -> Iterator[Master]:
        rows, groups = self._outer.fp32_partitioned_groups_flat, self._outer.fp16_groups
        for row, group in zip(rows, groups, strict=True):
            offset, spans = 0, []
            for parameter in group:
                share = parameter.partition_numel()
                start = self._rank * share
                length = min(share, parameter.ds_numel - start)
                if length > 0:
                    spans.append(
                        Span(name=names[id(parameter)], start=start, offset=offset, length=length)
                    )
                offset += share
            yield Master(tensor=row, spans=tuple(spans))

    @torch.no_grad()
    def _refresh_weights(self) -> None:
        """Give the model the weights that the masters have."""
        if self._stage == 3:
            for index in range(len(self._outer.fp16_groups)):
                self._outer._reassign_or_swap_out_partitioned_parameters(index)
            self._outer.checkpoint_event_epilogue()
        elif self._stage > 0:
            self._outer.update_lp_params()
        else:
            for parameter, tensor in self._whole_masters():
                if parameter is not tensor:
                    parameter.copy_(tensor)
