"""DRAM: ``model`` takes transfers, ``mapping`` says where they lie, ``scheduler`` orders commands, ``state`` allows them.

``replay`` serves a trace (``trace``) without an SoC. README.md says what is modelled and how accurate it is.
"""
