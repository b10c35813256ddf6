"""Memories: targets that serve transfers. ``base`` is the contract; one file or folder per kind."""
