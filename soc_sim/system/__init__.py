"""The SoC: ``builder`` connects the components, ``soc`` runs a program on them, ``several`` runs many at once.

``record`` is what happened; ``stream`` and ``executable`` are a program's inferences and what is done once for all of
them; ``layout`` says where everything lies; ``trials`` runs programs to choose among them.
"""

from soc_sim.system.record import RunRecord, TrafficRecord
from soc_sim.system.several import Demand, Live, ScenarioRecord, StreamRecord, run_streams
from soc_sim.system.soc import run
from soc_sim.system.trials import compile_by_trial

__all__ = [
    "Demand",
    "Live",
    "RunRecord",
    "ScenarioRecord",
    "StreamRecord",
    "TrafficRecord",
    "compile_by_trial",
    "run",
    "run_streams",
]
