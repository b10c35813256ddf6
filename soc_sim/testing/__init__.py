"""Fakes and checks for tests of components, programs and whole SoCs, one's own included.

``fakes`` stand in for components, ``small`` builds SoCs and programs by hand, ``checks`` says what every run satisfies,
``variants`` change one thing of an SoC.
"""
