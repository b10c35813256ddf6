"""Two tenants on one core, FIFO against EDF, as in two_tenants.yaml; what is assumed stands there."""

import soc_sim

soc = soc_sim.load_soc("mcu_8x8")
long, short = (soc_sim.load_network(name) for name in ("mobilenet_v1_025", "ds_cnn"))
misses = {}
for policy in ("fifo", "edf"):
    scenario = soc_sim.Scenario(soc, scheduling=policy)
    scenario.stream(long, name="long", period_s=0.01, deadline_s=0.01)
    scenario.stream(short, name="short", period_s=0.003, offset_s=0.001, deadline_s=0.003)
    outcome = scenario.run(until_s=0.03)
    misses[policy] = sum(stream.deadline_misses for stream in outcome.streams)

print(misses)
