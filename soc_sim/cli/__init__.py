"""The command line: one file per command, none of which models anything.

Nothing else belongs into this file: the command modules become names in it, ``list`` among them.
"""

from soc_sim.cli.dispatch import main

__all__ = ["main"]
