"""The engines that generate completions, one folder each."""
