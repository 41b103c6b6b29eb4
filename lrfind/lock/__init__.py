"""The pinned LR of a config, in a file beside it: what it is, where, and whether it still fits.

Everything here starts in milliseconds: neither torch, numpy, pydantic nor a YAML reader is
imported, except to read a config whose bytes changed. What trains is in `lrfind.pinning`.
"""
