"""Whether two trees, a reference and an answer, say the same."""
