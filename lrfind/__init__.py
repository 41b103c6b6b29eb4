"""lrfind: a learning-rate range test for PyTorch that runs from a config."""

__version__ = "0.1.0"
