"""The schedules as pure functions of the step: no torch, no optimizer, no state.

`step` may be a Python number, a numpy array of steps or a torch tensor (also a batched one inside
`torch.func.vmap`), and the answer is of the same kind; nothing here imports torch for it. A value
is computed from its step alone, so the millionth is as exact as the first.
"""
