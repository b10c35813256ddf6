"""``python -m soc_sim``: the same as ``soc-sim``."""

import sys

from soc_sim.cli import main

sys.exit(main())
