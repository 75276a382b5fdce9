"""RLCS: reinforcement learning with verifiable rewards and curriculum sampling."""

__version__ = "0.1.0"
