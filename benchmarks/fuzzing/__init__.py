"""Broken configs by the thousand: mutants of the shipped ones, and what lrfind makes of them."""
