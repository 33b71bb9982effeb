"""The tagger's network in PyTorch from our weights file: same weights, same outputs and gradients; then both are timed.

Usage: python tests/peers/tagger.py [--weights FILE] [--photo FILE] [--rounds N]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4
THREADS = 2


class Unit(nn.Module):
    """Convolution, batch norm, activation."""

    def __init__(self, kind, n_in, n_out, stride, activates):
        super().__init__()
        size, groups = (1, 1) if kind == "pointwise" else (3, n_in if kind == "depthwise" else 1)
        self.conv = nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(n_out, eps=1e-5)
        self.activates = activates

    def forward(self, x):
        x = self.norm(self.conv(x))
        return F.relu6(x, inplace=True) if self.activates else x


def regions():
    """(x0, y0, x1, y1): the whole photo, 2 x 2 windows of two thirds, 3 x 3 of a half."""
    found = [(0.0, 0.0, 1.0, 1.0)]
    for n, side in [(2, 2 / 3), (3, 0.5)]:
        step = (1 - side) / (n - 1)
        found += [(c * step, r * step, c * step + side, r * step + side) for r in range(n) for c in range(n)]
    return found


def pooling(side):
    """Share of each region that each cell of a side x side map covers, [n_regions, side * side]."""
    edges = np.arange(side) / side
    overlap = lambda low, high: np.clip(np.minimum(edges + 1 / side, high) - np.maximum(edges, low), 0, None)
    rows = [np.outer(overlap(y0, y1), overlap(x0, x1)).ravel() / ((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in regions()]
    return torch.tensor(np.stack(rows), dtype=torch.float32)


class Tagger(nn.Module):
    """The network that `arch` describes."""

    def __init__(self, arch):
        super().__init__()
        self.arch, units, n_in = arch, [], 3
        self.added = {}
        for n_out in arch["stem"]:
            units.append(Unit("dense", n_in, n_out, 2, True))
            n_in = n_out
        for stage in arch["stages"]:
            for block in range(stage["n_blocks"]):
                stride, inner = (stage["stride"] if block == 0 else 1), n_in * stage["expand"]
                if stride == 1 and n_in == stage["channels"]:
                    self.added[len(units) + 2] = len(units)
                units.append(Unit("pointwise", n_in, inner, 1, True))
                units.append(Unit("depthwise", inner, inner, stride, True))
                units.append(Unit("pointwise", inner, stage["channels"], 1, False))
                n_in = stage["channels"]
        units.append(Unit("pointwise", n_in, arch["n_features"], 1, True))
        self.units = nn.ModuleList(units)
        self.head = nn.Linear(arch["n_features"], arch["n_tags"])
        self.embedding = nn.Linear(arch["n_features"], max(arch["n_embedding"], 1))
        self.pools = {}

    def load(self, tensors):
        """Our layout is [taps * n_in, n_out], taps row by row."""
        with torch.no_grad():
            for i, unit in enumerate(self.units):
                n_out, n_in, height, width = unit.conv.weight.shape
                weight = tensors[f"units.{i}.weight"].reshape(height, width, n_in, n_out)
                unit.conv.weight.copy_(weight.permute(3, 2, 0, 1))
                unit.norm.weight.copy_(tensors[f"units.{i}.gamma"])
                unit.norm.bias.copy_(tensors[f"units.{i}.beta"])
                unit.norm.running_mean.copy_(tensors[f"units.{i}.mean"])
                unit.norm.running_var.copy_(tensors[f"units.{i}.variance"])
            for name in ["head", "embedding"]:
                if f"{name}.weight" in tensors:
                    getattr(self, name).weight.copy_(tensors[f"{name}.weight"].T)
                    getattr(self, name).bias.copy_(tensors[f"{name}.bias"])

    def gradients(self):
        """All gradients in the order of our flat parameters, by name."""
        found = {}
        for i, unit in enumerate(self.units):
            found[f"units.{i}.weight"] = unit.conv.weight.grad.permute(2, 3, 1, 0)
            found[f"units.{i}.gamma"] = unit.norm.weight.grad
            found[f"units.{i}.beta"] = unit.norm.bias.grad
        for name in ["head", "embedding"]:
            if name == "head" or self.arch["n_embedding"] > 0:
                found[f"{name}.weight"] = getattr(self, name).weight.grad.T
                found[f"{name}.bias"] = getattr(self, name).bias.grad
        return {name: gradient.reshape(-1) for name, gradient in found.items()}

    def forward(self, x):
        inputs = []
        for i, unit in enumerate(self.units):
            inputs.append(x)
            x = unit(x)
            if i in self.added:
                x = x + inputs[self.added[i]]
        side = x.shape[-1]
        if side not in self.pools:
            self.pools[side] = pooling(side)
        cells = x.permute(0, 2, 3, 1).reshape(x.shape[0], side * side, x.shape[1])
        region_logits = self.pools[side] @ F.linear(cells, self.head.weight) + self.head.bias
        sharpness = self.arch["sharpness"]
        logits = (torch.logsumexp(sharpness * region_logits, 1) - np.log(region_logits.shape[1])) / sharpness
        pooled = cells.mean(1)
        return region_logits, logits, pooled, self.embedding(pooled)


def loss_of(logits, embedding, case):
    """Weighted cross-entropy and squared error, summed over tags, mean over photos."""
    entropy = F.binary_cross_entropy_with_logits(logits, case["tags"], case["weights"], reduction="sum")
    errors = (case["feature_weights"] * (embedding - case["features"]) ** 2).sum()
    return (entropy + errors) / len(logits)


def off_by(found, expected, floor=0.0):
    """Length of the difference as a part of the length of what is expected."""
    return ((found - expected).norm() / max(expected.norm().item(), floor)).item()


def check(model, case):
    """Compares outputs and gradients; returns the worst figures."""
    images = lambda x: x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    model.eval()
    with torch.no_grad():
        names = ["region_logits", "logits", "pooled", "embedding"]
        outputs = dict(zip(names, model(images(case["photo"]))))
    worst = {f"served {name}": off_by(outputs[name], case[f"served.{name}"]) for name in names
             if case[f"served.{name}"].numel()}
    model.train()
    model.zero_grad()
    _, logits, _, embedding = model(images(case["images"]))
    loss = loss_of(logits, embedding, case)
    loss.backward()
    worst["trained logits"] = off_by(logits.detach(), case["trained.logits"])
    worst["loss"] = off_by(loss.detach(), case["trained.loss"])
    ours, at = case["trained.gradients"], 0
    floor = 1e-2 * ours.norm().item()
    gradients = {}
    for name, gradient in model.gradients().items():
        gradients[name] = off_by(ours[at : at + gradient.numel()], gradient, floor)
        at += gradient.numel()
    assert at == ours.numel(), f"{at} gradients here, {ours.numel()} there"
    name = max(gradients, key=gradients.get)
    worst[f"gradients (worst: {name})"] = gradients[name]
    return worst


class Ours:
    """Our side, a process that runs a pass for each line it is told."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.settings = json.loads(self.process.stdout.readline())

    def run(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alternate(rounds, repeats, sides):
    """Runs both sides in turns; {name: (median wall, fastest wall, mean cpu)} in ms per run."""
    times = {name: ([], []) for name in sides}
    for round_idx in range(rounds + 1):
        for name, (run, cpu) in sides.items():
            before, start = cpu(), time.perf_counter()
            for _ in range(repeats):
                run()
            wall = (time.perf_counter() - start) / repeats
            # The first round warms up.
            if round_idx > 0:
                times[name][0].append(1e3 * wall)
                times[name][1].append(1e3 * (cpu() - before) / repeats)
    return {name: (statistics.median(wall), min(wall), statistics.mean(cpu)) for name, (wall, cpu) in times.items()}


def report(what, times):
    print(what)
    first = next(iter(times))
    for name, (wall, best, cpu) in times.items():
        parts = [times[first][i] / value for i, value in enumerate((wall, best, cpu))]
        print(f"  {name:24} wall median {wall:8.2f} ms, fastest {best:8.2f} ms, cpu {cpu:8.2f} ms;"
              f" {first} takes {parts[0]:.2f} / {parts[1]:.2f} / {parts[2]:.2f} of it")


def peer_step(model, settings):
    """A training step of the peer at its best: channels_last, fused AdamW."""
    n, side, arch = settings["batch"], settings["side"], model.arch
    case = {"tags": torch.rand(n, arch["n_tags"]), "weights": torch.rand(n, arch["n_tags"]),
            "features": torch.rand(n, arch["n_embedding"]), "feature_weights": torch.rand(n, 1)}
    images = (2 * torch.rand(n, 3, side, side) - 1).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.03, fused=True)

    def step():
        model.train()
        optimizer.zero_grad(set_to_none=True)
        _, logits, _, embedding = model(images)
        loss_of(logits, embedding, case).backward()
        optimizer.step()

    return step


def onnx_session(model, photo, dir):
    """The served network in onnxruntime on one thread; None if it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    path = str(dir / "tagger.onnx")
    plain = photo.permute(0, 3, 1, 2).contiguous()
    model = model.eval()
    model(plain)
    torch.onnx.export(model, (plain,), path, input_names=["photo"],
                      output_names=["region_logits", "logits", "pooled", "embedding"], dynamo=True, verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    print(f"onnxruntime {onnxruntime.__version__}")
    return lambda: session.run(None, {"photo": plain.numpy()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", help="our weights file; without it numbers made for comparing gradients")
    parser.add_argument("--photo", help="a photo file, taken in by us; needs --weights")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds of each side")
    options = parser.parse_args()
    if options.photo and not options.weights:
        parser.error("--photo needs --weights")
    torch.set_num_threads(THREADS)
    build = ["cargo", "build", "--release", "--quiet", "--package", "image2song-peers", "--message-format=json"]
    built = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    binary = next(json.loads(line)["executable"] for line in built.splitlines()
                  if json.loads(line).get("executable"))
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours([binary, folder] + [path for path in [options.weights, options.photo] if path])
        weights, case = Path(folder) / "tagger.safetensors", load_file(Path(folder) / "case.safetensors")
        with safe_open(weights, "pt") as file:
            arch = json.loads(file.metadata()["arch"])
        model = Tagger(arch).to(memory_format=torch.channels_last)
        model.load(load_file(weights))
        print(f"torch {torch.__version__} with {THREADS} threads, ours on {ours.settings['isa']}: {ours.settings}")
        failed = False
        for what, value in check(model, case).items():
            # With trained weights some sums lie near a kink of an activation, and their last digit decides a gradient.
            judged = not (options.weights and what.startswith("gradients"))
            failed |= judged and value > TOLERANCE
            print(f"  {what:48} off by {value:.1e}{'' if judged else ' (not judged)'}")
        model.load(load_file(weights))
        session = onnx_session(model, case["photo"], Path(folder))
        if session is not None:
            served = torch.tensor(session()[1])
            print(f"  onnxruntime logits off by {off_by(served, case['served.logits']):.1e}")
            sides = {"ours": (lambda: ours.run("serve"), ours.cpu), "onnxruntime": (session, time.process_time)}
            report(f"serving one photo at {arch['side']} px, one thread", alternate(options.rounds, 50, sides))
        step = peer_step(model, ours.settings)
        sides = {"ours": (lambda: ours.run("step"), ours.cpu), "torch channels_last": (step, time.process_time)}
        times = alternate(options.rounds, 1, sides)
        report(f"training step of {ours.settings['batch']} photos at {ours.settings['side']} px", times)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
