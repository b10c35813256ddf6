"""Moves tiles between memory and buffers: ``engine`` has the queues; descriptors are the program's regions."""
