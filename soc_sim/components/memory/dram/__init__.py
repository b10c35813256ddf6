"""DRAM: ``model`` takes transfers, ``mapping`` splits them into runs of one row, ``channel`` has banks and bus."""
