"""Difficulty that was measured elsewhere: tables of it, merged from models and from people."""
