"""The offline check of verifiers over a file of cases; see ``rewards.check.command``."""
