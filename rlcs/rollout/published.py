"""The newest version of the weights, which every actor of a pool is to serve."""

from __future__ import annotations

from rlcs.model.weights import Publication


class Published:
    """The newest version and its weights, for actors that do not serve it yet.

    One thread may set it while another reads it: both parts are set and read at once.
    """

    def __init__(self) -> None:
        self.newest: tuple[int, Publication | None] = (0, None)
        """Version 0 is that of the model folder. No weights where they were given up."""

    @property
    def version(self) -> int:
        """The newest version published."""
        return self.newest[0]

    @property
    def out_of_reach(self) -> bool:
        """Whether a new actor could not be given the version: its weights passed the host by."""
        version, weights = self.newest
        return version > 0 and weights is not None and not weights.buckets

    @property
    def lie_ready(self) -> bool:
        """Whether the weights can be given to whoever needs them."""
        _, weights = self.newest
        return weights is not None and bool(weights.buckets)
