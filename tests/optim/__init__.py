"""Tests of the bundled optimizers."""
