"""The event kernel: time, ports, and the three mechanisms (timeline, credits, process). Nothing else knows SimPy."""

from soc_sim.kernel.clock import Clock
from soc_sim.kernel.component import Component
from soc_sim.kernel.credit import CreditPool
from soc_sim.kernel.inference import Inference
from soc_sim.kernel.issuer import Issuer
from soc_sim.kernel.ledger import CAUSES, Cause, Ledger
from soc_sim.kernel.mailbox import Dispatched, Mailbox
from soc_sim.kernel.port import InitiatorPort, Target, check_wiring
from soc_sim.kernel.reasons import CompletionLog, Reason
from soc_sim.kernel.recording import DETAILS, Counter, Detail, Recorder, Requests, Track
from soc_sim.kernel.scoreboard import Scoreboard
from soc_sim.kernel.simulation import Simulation
from soc_sim.kernel.tap import tapped
from soc_sim.kernel.timeline import Timeline
from soc_sim.kernel.transfer import Transfer, chunks

__all__ = [
    "CAUSES",
    "DETAILS",
    "Cause",
    "Clock",
    "CompletionLog",
    "Component",
    "Counter",
    "CreditPool",
    "Detail",
    "Dispatched",
    "Inference",
    "InitiatorPort",
    "Issuer",
    "Ledger",
    "Mailbox",
    "Reason",
    "Recorder",
    "Requests",
    "Scoreboard",
    "Simulation",
    "Target",
    "Timeline",
    "Track",
    "Transfer",
    "check_wiring",
    "chunks",
    "tapped",
]
