"""A package whose own path is not ASCII."""
