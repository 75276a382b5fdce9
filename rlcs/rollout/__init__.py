"""From prompts to completions: engines, the Ray actors around them, force answering."""
