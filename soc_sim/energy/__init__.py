"""Energy and area from counted actions and published tables: pure functions of descriptions and counts."""
