"""Fakes and checks for tests of components, programs and whole SoCs, one's own included.

``fakes`` stand in for components, ``small`` builds SoCs and programs by hand, ``checks`` says what every run satisfies,
``bounds`` says how short and how long it may be, ``ideal`` what is left where memory takes no
time, ``variants`` change one thing of an SoC.
"""
