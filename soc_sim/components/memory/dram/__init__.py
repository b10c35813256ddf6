"""DRAM: ``model`` takes transfers, ``mapping`` splits them into runs of one row, ``channel`` holds banks, bus and refresh."""
