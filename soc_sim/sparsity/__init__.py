"""Zeros of weights: where they are (``bitmap``, ``patterns``), and how matrices with zeros are stored (``formats``)."""
