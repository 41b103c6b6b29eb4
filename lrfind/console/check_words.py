"""What a check found and what to do about it, in sentences that every format shares."""

from __future__ import annotations

from lrfind.lock.check import Check, State
from lrfind.lock.lock import Lock
from lrfind.lock.trials import Verification
from lrfind.refine.trial import Trial


def findings(check: Check) -> list[str]:
    """Say what was found, the deciding thing first."""
    if check.failure is not None:
        return [str(problem) for problem in check.failure.problems]
    lock, told = check.lock, []
    if lock is None:
        return []
    stale = [str(change) for change in check.changes if change.is_stale]
    if check.rerun is None:
        told += stale or [f"nothing changed since {lock.pinned_at[:10]}; not swept again"]
    elif check.state is State.STALE:
        told += [*stale, _swept(check, lock)]
    else:
        told += [_swept(check, lock), *stale]
    if check.is_other_noise:
        told.insert(int(check.has_moved), _noisier(check, lock))
    if check.rerun is not None and check.rerun.verification is not None:
        told.append(_tried(check.rerun.verification))
    told += [f"{change} (told only)" for change in check.changes if not change.is_stale]
    if check.rerun is not None and check.rerun.device != lock.device:
        told.append(f"device: {lock.device}, now {check.rerun.device} (told only)")
    return told


def advice(check: Check) -> str:
    """Say what to do; empty for a good pin, and where a problem says it itself."""
    renew = f"lrfind pin {check.config}"
    match check.state:
        case State.DRIFTED if any(change.is_stale for change in check.changes):
            return f"if these changes are meant, pin what they give: {renew}"
        case State.DRIFTED:
            return (
                "neither config, sources nor versions changed: look at the lock's own history, at "
                f"the data and the machine; to pin what is found now: {renew}"
            )
        case State.STALE:
            return f"if these changes are meant: {renew}"
        case State.INCONCLUSIVE:
            return "look at the curve: lrfind run " + str(check.config)
    return ""


def lr_text(lr: float | None) -> str:
    """Write an LR as people compare them: `3.2e-03`; empty for none."""
    return "" if lr is None else f"{lr:.1e}"


def distance_text(decades: float) -> str:
    """Write a distance in decades and its direction: `0.55 decades above`."""
    if abs(decades) < 0.005:
        return "0.00 decades"
    return f"{abs(decades):.2f} decades {'above' if decades > 0 else 'below'}"


def _swept(check: Check, lock: Lock) -> str:
    found, pinned = check.rerun, lock.reference_lr
    if found is None:
        return ""
    if found.lr is None:
        return f"no answer: {found.why_none}"
    if pinned is None or check.decades is None:
        return f"pinned by hand; the sweeps say {lr_text(found.lr)}, and said nothing then"
    then, now = lr_text(pinned), lr_text(found.lr)
    pair = (
        f"sweeps said {then} then, {now} now" if lock.is_by_hand else f"pinned {then}, found {now}"
    )
    return f"{pair}: {distance_text(check.decades)}, tolerance {lock.tolerance_decades:.2f}"


def _noisier(check: Check, lock: Lock) -> str:
    decades = check.noise_decades or 0.0
    more = "more" if decades > 0 else "less"
    return (
        f"the loss is {10 ** abs(decades):.1f} × {more} noisy from batch to batch: "
        f"{distance_text(decades)}, tolerance {lock.noise_tolerance_decades:.2f}; another batch "
        "size, or other data"
    )


def _tried(verification: Verification) -> str:
    below, pinned, above = map(_end, verification.trials)
    ends = f"trials end at {pinned} at the pin, {below} at a third, {above} at three times it"
    if verification.pinned.diverged:
        return ends
    if verification.is_silent:
        return f"{ends}; none falls clearly below its start, {verification.initial:.4g}"
    if verification.is_better_elsewhere:
        return f"{ends}; {lr_text(verification.best.lr)} is clearly better"
    return f"{ends}; the pin is as good as the best"


def _end(trial: Trial) -> str:
    return "divergence" if trial.diverged else f"loss {trial.loss:.4g}"
