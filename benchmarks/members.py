"""Time of several members side by side, against one alone.

    python -m benchmarks.members [--members 1 2 4 8 16] [--rounds 9] [--write]

One thread, CPU time, everything of a row interleaved; ratios within a round, their median with the
quartiles. `seeds` are sweeps of so many seeds by `lrfind.seed_sweeps.sweep_seeds` over the sweep of
one that goes the ordinary way; `trials` are so many refinement trials over one trial done alone.
`bare` is a plain loop over a DataLoader with torch.optim, as many steps as one sweep. `vmap` is one
training step of so many members by `torch.func`, over one step by autograd: what the way that works
for nearly every model would bring. Gaps under about 10 % do not resolve on a noisy machine.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from examples.digits import build_cnn, build_model, train_dataset
from lrfind.optim import AdamW
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trials import Judge, Trials
from lrfind.seed_sweeps import sweep_seeds
from lrfind.spec import DataSection, SweepSection
from lrfind.workload.members.seeds import why_alone
from lrfind.workload.parts import objective_of, optimizer_of
from lrfind.workload.plain import PlainRecipe
from lrfind.workload.workload import Workload

Run = Callable[[], object]
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Kind:
    """A kind of member.

    Attributes:
        build: makes one.
        data: what it is trained on.
        steps: updates of a sweep.
        loss: of outputs and targets.
        optimizer: a bundled name.
    """

    build: Callable[[], nn.Module]
    data: TensorDataset
    steps: int
    loss: Loss = functional.cross_entropy
    optimizer: str = "adamw"

    def workload(self, seeds: int = 1, *, side_by_side: bool = True) -> Workload:
        """Describe sweeps of so many seeds, none of which ends early."""
        section = SweepSection(
            start_lr=1e-6,
            end_lr=1e-3,
            steps=self.steps,
            seeds=seeds,
            side_by_side=side_by_side,
            auto_range=False,
            stop={"factor": float("inf")},
        )
        recipe = PlainRecipe(
            model=self.build,
            data=self.data,
            objective=objective_of(self.loss, None),
            optimizer=optimizer_of(self.optimizer, {}, ()),
            sweep=section,
            loader=DataSection(target="none:none", batch_size=64),
        )
        return Workload(recipe, sweep=section, device=torch.device("cpu"))


class TokenModel(nn.Module):
    """A transformer block with one head over 64 tokens."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed, self.read = nn.Embedding(64, width), nn.Linear(width, 3 * width)
        self.write, self.head = nn.Linear(width, width), nn.Linear(width, 64)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict every next token."""
        x = self.embed(tokens)
        query, key, value = self.read(self.first(x)).chunk(3, -1)
        scores = (query @ key.mT / x.shape[-1] ** 0.5).softmax(-1)
        x = x + self.write(scores @ value)
        x = x + self.narrow(functional.gelu(self.wide(self.second(x))))
        return self.head(x)


def token_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy over all positions."""
    return functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())


def gelu_model() -> nn.Module:
    """Build a perceptron of another size and activation."""
    return nn.Sequential(nn.Linear(32, 128), nn.GELU(), nn.Linear(128, 32), nn.GELU(), head())


def head() -> nn.Module:
    """Build the last layer of a regression."""
    return nn.Linear(32, 1)


def kinds() -> dict[str, Kind]:
    """Make all kinds; the data that are not digits are noise, of which only the time counts."""
    torch.manual_seed(0)
    rows = TensorDataset(torch.randn(1024, 32), torch.randn(1024, 1))
    text = TensorDataset(torch.randint(0, 64, (512, 16)), torch.randint(0, 64, (512, 16)))
    digits = train_dataset()
    return {
        "digits MLP, AdamW": Kind(build_model, digits, 100),
        "digits MLP, SGD": Kind(build_model, digits, 100, optimizer="sgd"),
        "GELU MLP, regression": Kind(gelu_model, rows, 100, functional.mse_loss),
        "wide MLP (hidden 256)": Kind(lambda: build_model(256), digits, 40),
        "digits CNN": Kind(build_cnn, digits, 10),
        "transformer": Kind(TokenModel, text, 10, token_loss),
    }


def seeds_of(kind: Kind, members: int, *, side_by_side: bool = True) -> Run:
    """Prepare sweeps of so many seeds."""
    work = kind.workload(members, side_by_side=side_by_side)
    return lambda: sweep_seeds(work, work.sweep, 0, [])


def trials_of(trials: Trials, members: int) -> Run:
    """Prepare so many trials at once; 0: one alone."""
    if members == 0:
        return lambda: trials(1e-3)
    lrs = [1e-3 * 1.1**i for i in range(members)]
    return lambda: trials.side_by_side(lrs)


def bare_loop(kind: Kind) -> Run:
    """Prepare what a script without lrfind would do."""
    kinds_of_step = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}

    def run() -> None:
        model = kind.build()
        optimizer = kinds_of_step[kind.optimizer](model.parameters(), lr=1e-3)
        loader, done = DataLoader(kind.data, 64, shuffle=True), 0
        while done < kind.steps:
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = kind.loss(model(inputs), targets)
                loss.backward()
                optimizer.step()
                loss.item()
                done += 1
                if done == kind.steps:
                    break

    return run


def vmap_step(kind: Kind, members: int) -> Run:
    """Prepare a training step of so many members by `torch.func`; 0: of one by autograd."""
    inputs, targets = kind.data[:64]
    model = kind.build()
    if members == 0:
        parameters, run = list(model.parameters()), lambda: kind.loss(model(inputs), targets)
    else:
        stacked, _ = stack_module_state([kind.build() for _ in range(members)])
        parameters = list(stacked.values())

        def one(own: dict[str, Tensor]) -> Tensor:
            return kind.loss(functional_call(model, own, (inputs,)), targets)

        each = vmap(one)

        def run() -> Tensor:
            return each(stacked).sum()

    optimizer = AdamW(parameters, lr=1e-3)

    def step() -> None:
        run().backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def measured(runs: dict[str, Run], rounds: int, repeat: int = 1) -> dict[str, list[float]]:
    """Take the CPU seconds of each run in each round, interleaved, after one to warm up."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds + 1):
        for name, run in runs.items():
            started = time.process_time()
            for _ in range(repeat):
                run()
            if i:
                found[name].append(time.process_time() - started)
    return found


def ratio(seconds: dict[str, list[float]], name: str, one: str) -> str:
    """Write a median ratio with its quartiles: `2.71 (2.64 … 2.80)`."""
    pairs = zip(seconds[name], seconds[one], strict=True)
    low, middle, high = statistics.quantiles([a / b for a, b in pairs], n=4)
    return f"{middle:.2f} ({low:.2f} … {high:.2f})"


def path_of(kind: Kind) -> str:
    """Name the way that several seeds of a kind take."""
    work = kind.workload(2)
    with work.open(0) as trainable:
        reason = why_alone(work, trainable)
    return "side by side" if reason is None else f"one after another: {reason}"


def rows(name: str, kind: Kind, members: list[int], rounds: int) -> list[str]:
    """Measure one kind and write its rows."""
    path = path_of(kind)
    runs = {str(count): seeds_of(kind, count) for count in members}
    runs |= {"one": seeds_of(kind, 1, side_by_side=False), "bare": bare_loop(kind)}
    seconds = measured(runs, rounds)
    alone = ratio(seconds, "one", "bare")
    found = [row(f"{name}, {path}", "seeds", [ratio(seconds, str(n), "one") for n in members])]
    found[0] += f" {alone} |"
    if path == "side by side":
        with kind.workload().open(0) as trainable:
            trials = Trials(trainable, Judge(trainable), TrialSchedule(), kind.steps, 1e9)
            seconds = measured({str(n): trials_of(trials, n) for n in [0, *members]}, rounds)
        found.append(row("", "trials", [ratio(seconds, str(n), "0") for n in members]) + " |")
    runs = {str(count): vmap_step(kind, count) for count in [0, *members]}
    seconds = measured(runs, rounds, repeat=5)
    found.append(row("", "`vmap`", [ratio(seconds, str(n), "0") for n in members]) + " |")
    return found


def row(*cells: str | list[str]) -> str:
    """Write cells as a row; lists are written out."""
    flat = [text for cell in cells for text in ([cell] if isinstance(cell, str) else cell)]
    return "| " + " | ".join(flat) + " |"


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    heads = ["work", "members", *map(str, asked.members), "one ÷ loop by hand"]
    lines = [row(*heads), "|" + " --- |" * len(heads)]
    print("\n".join(lines))
    for name, kind in kinds().items():
        found = rows(name, kind, asked.members, asked.rounds)
        print("\n".join(found), flush=True)
        lines += found
    lines += ["", stamp(asked.rounds)]
    print("\n".join(lines[-2:]))
    if asked.write:
        from benchmarks.page import write_section

        write_section("members", "\n".join(lines))


def stamp(rounds: int) -> str:
    """Say how it was measured, where and when."""
    today = datetime.now(UTC).date()
    return (
        f"CPU time as multiples of one, one thread; ratios within a round, median (quartiles) of "
        f"{rounds} rounds; torch {torch.__version__}, Python {platform.python_version()}, {today}."
    )


if __name__ == "__main__":
    main()
