"""Traces: what was busy when. README.md in this folder describes columns, formats and limits.

``recorder`` selects and buffers what components tell, and hands it on in columns; a *sink* takes the columns:
``timeline`` keeps them in memory, and there is one for each file format. ``formats`` chooses one by the file's suffix.
"""
