"""The embedded engine: transformers models, without a GPU and without an extra package."""
