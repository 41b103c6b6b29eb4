"""One number in a file of the user's own, and not a byte beside it.

A library that reads a file and writes it anew keeps comments at best, and changes quotes, line ends
or indentation on the way. Here the file stays a text: a library says what it means and where the
value stands, those characters alone are exchanged, and the new text is read again to prove that
one value changed. Knows YAML, TOML and JSON; neither torch nor what an LR is good for.
"""
