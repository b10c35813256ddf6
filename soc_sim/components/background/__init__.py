"""Initiators that only ask for data: ``patterns`` says when and where, ``initiator`` asks."""
