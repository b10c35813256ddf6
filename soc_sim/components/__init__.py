"""What an SoC is made of, one folder per role. Roles never import each other: they meet at ports."""
