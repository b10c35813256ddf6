"""What runs everything that is not a GEMM: a vector unit or CPU with a port of its own."""
