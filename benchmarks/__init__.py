"""Benchmarks with a peer beside us in the same run. ``python -m benchmarks`` lists them; nothing here is a test."""
