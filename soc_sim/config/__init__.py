"""Descriptions of SoCs, networks and runs, and how they are read: see README.md."""

from soc_sim.config.loader import dump, load, load_any

__all__ = ["dump", "load", "load_any"]
