"""Lets the CUDA build of torchvision be imported beside a CPU build of torch.

The registry has only that build, and its import fails because the operators of its compiled
half are missing, although the Python half (what picture and video processors use) would
work. Declaring their schemas is enough. ``scripts/setup`` lays this file into the virtual
environment, where every Python process reads it at its start, and only there where it is
needed; with a torch that has CUDA it does nothing.
"""

import importlib.abc
import sys

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    """Finds nothing itself: declares the operators when torchvision is first looked for."""

    library = None

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" and self.library is None:
            import torch

            if torch.version.cuda is None:
                self.library = torch.library.Library("torchvision", "DEF")
                for schema in SCHEMAS:
                    self.library.define(schema)


sys.meta_path.insert(0, _BeforeTorchvision())
