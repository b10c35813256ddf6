"""What every result must satisfy, on four networks and every SoC that ships."""

from __future__ import annotations

import pytest
from evaluation import SOCS, evaluate

from soc_sim.errors import MappingError

NETWORKS = ("resnet8", "mobilenet_v2", "resnet18", "bert_tiny")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("soc", SOCS)
def test_results_conserve_work_keep_bounds_and_react_sensibly(soc: str, network: str) -> None:
    """Conservation, sums, bounds, and more of anything never hurts."""
    outcome = evaluate(soc, network)
    assert not isinstance(outcome, MappingError), str(outcome)
    assert outcome.faults() == []
