"""The fast engine: vLLM, on GPUs and on CPUs."""
