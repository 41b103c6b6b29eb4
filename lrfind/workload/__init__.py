"""What is trained: the user's model, data, loss and optimizer behind one small interface.

`lrfind.ramp` drives a `Trainable` and knows nothing of torch; the rooms here know torch and
nothing of sweeps.
"""
