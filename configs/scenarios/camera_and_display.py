"""Camera pipeline beside display traffic, as in camera_and_display.yaml; numbers and their sources are there."""

import soc_sim

FRAME_S = 16.666667e-3

scenario = soc_sim.Scenario(soc_sim.load_soc("edge_16x16"))
camera = scenario.stream(soc_sim.load_network("mobilenet_v2"), name="camera", period_s=FRAME_S, deadline_s=FRAME_S)
scenario.background("display", bytes_per_s=1920 * 1080 * 4 * 60, pattern="frame", frame_rate="60 Hz", blanking=0.04)
scenario.background(
    "camera_input",
    bytes_per_s=1920 * 1080 * 1.5 * 60,
    pattern="frame",
    frame_rate="60 Hz",
    blanking=0.04,
    read_share=0.0,
)
scenario.interconnect(arbitration="fixed_priority", priorities=["display", "camera_input"])
outcome = scenario.run(until_s=0.022)

print(outcome.streams[0].latency_p99_s, outcome.streams[0].deadline_misses)
