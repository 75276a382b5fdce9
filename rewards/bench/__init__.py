"""Benches of the verifiers; run them by ``scripts/bench_rewards``."""
