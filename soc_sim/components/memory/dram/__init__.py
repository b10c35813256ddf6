"""DRAM: ``model`` takes transfers, ``mapping`` places them, ``scheduler`` orders commands, ``state`` allows them.

``queues`` keep what waits, ``streaming`` is the scheduler in fewer steps, ``channel`` keeps transfers. ``replay``
serves a trace (``trace``) without an SoC.
README.md says what is modelled and how accurate it is.
"""
