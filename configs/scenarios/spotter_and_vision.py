"""Always-on keyword spotter beside a vision network, as in spotter_and_vision.yaml; what is assumed stands there."""

import soc_sim

scenario = soc_sim.Scenario(soc_sim.load_soc("mcu_8x8"), seed=1, scheduling="fixed_priority")
scenario.stream(soc_sim.load_network("ds_cnn"), name="spotter", period_s=0.02, deadline_s=0.02, priority=1)
scenario.stream(soc_sim.load_network("resnet8"), name="vision", arrivals="poisson", period_s=0.02, deadline_s=0.1)
scenario.at(0.06, lambda scene: scene.set_frequency("array", 100e6))
outcome = scenario.run(until_s=0.12)

for stream in outcome.streams:
    print(stream.name, stream.completed, stream.latency_p99_s, stream.deadline_misses)
