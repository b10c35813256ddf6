"""One core: a controller hands instructions to the array and (through ports of its own) to the DMA queues."""
