"""Plots with matplotlib: as files, and in notebooks. Colours and derived figures are those of the report.

``plots`` is what users have at hand (``result.plot.layers()``); one file draws one kind into axes it is given;
``picture`` makes the figure, without matplotlib's global state, and saves it.
"""
