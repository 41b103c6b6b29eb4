"""What a project trains and with what, read off its syntax trees: nothing of it is imported or run.

A training loop says most: the model whose parameters the optimizer takes, the loader it goes
through, the loss it calls `backward` on. Each name is followed to the class or function that makes
it, with the literal arguments of the call. What cannot be told is told as such, with its line.
"""
