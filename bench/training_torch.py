"""The PyTorch side of `npm run bench -- training`: one model with given params and batch, timed when asked.

usage: training_torch.py DIR MODEL THREADS on|off      MODEL: conv-net or dense-net; on|off: oneDNN ("mkldnn")
DIR/MODEL.json says which slots and batch arrays follow each other in DIR/MODEL.bin. When ready it writes one JSON line;
then for each line `N` on stdin it takes N steps in each memory format and writes their milliseconds, {"NCHW": [...],
"channels last": [...]}. AdamW: fused, else foreach, as the version has it.
"""

import json
import os
import sys

folder, model_name, threads, onednn = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "on"
os.environ["OMP_NUM_THREADS"] = str(threads)

import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(threads)
torch.backends.mkldnn.enabled = onednn


def read_arrays():
    """Slots and batch arrays by name, as bench/training.mjs wrote them."""
    with open(os.path.join(folder, f"{model_name}.json")) as file:
        spec = json.load(file)
    data, offset, found = open(os.path.join(folder, f"{model_name}.bin"), "rb").read(), 0, {"slots": {}, "batch": {}}
    for group in ("slots", "batch"):
        for name, dtype, shape in spec[group]:
            array = np.frombuffer(data, dtype, int(np.prod(shape)), offset).reshape(shape)
            offset += array.nbytes
            found[group][name] = torch.from_numpy(array.copy())
    for name, dtype in spec["torchTypes"].items():  # class numbers are int64 here: converted once, outside the clock
        found["batch"][name] = found["batch"][name].to(getattr(torch, dtype))
    return spec, found["slots"], found["batch"]


def conv_net(p, batch):
    """Five 3x3 convolutions with ReLU, global average, a linear layer."""
    x = batch["image"]
    for i, stride in enumerate((1, 2, 1, 2, 1)):
        x = F.relu(F.conv2d(x, p[f"encoder.conv{i}.weight"], p[f"encoder.conv{i}.bias"], stride, 1))
    logits = F.linear(x.mean(dim=(2, 3)), p["heads.item.out.weight"], p["heads.item.out.bias"])
    return F.cross_entropy(logits, batch["label.item"])


def dense_net(p, batch):
    """`denseNet` of packages/training with two tasks: four residual stages, a decoder and a head for each task."""

    def norm(name, x):
        channels = x.shape[1]
        return F.group_norm(x, channels // 8 if channels % 8 == 0 else 1, p[f"{name}.weight"], p[f"{name}.bias"])

    def block(name, x, stride):
        y = F.relu(norm(f"{name}.norm1", F.conv2d(x, p[f"{name}.conv1.weight"], None, stride, 1)))
        y = norm(f"{name}.norm2", F.conv2d(y, p[f"{name}.conv2.weight"], None, 1, 1))
        shortcut = p.get(f"{name}.shortcut.weight")
        return F.relu(y + (x if shortcut is None else F.conv2d(x, shortcut, None, stride)))

    def decode(task, stages):
        size, merged = stages[0].shape[2:], 0
        for i, stage in enumerate(stages):
            name = f"decoders.{task}.linears.{i}"
            y = F.conv2d(stage, p[f"{name}.weight"], p[f"{name}.bias"])
            merged = merged + (y if i == 0 else F.interpolate(y, size, mode="bilinear", align_corners=False))
        name = f"decoders.{task}.fuse"
        y = F.relu(norm(f"{name}.1", F.conv2d(F.relu(merged), p[f"{name}.0.weight"], None, 1, 1)))
        return F.pixel_shuffle(F.conv2d(y, p[f"heads.{task}.out.weight"], p[f"heads.{task}.out.bias"]), 2)

    x = F.relu(norm("encoder.stem.norm", F.conv2d(batch["image"], p["encoder.stem.conv.weight"], None, 2, 1)))
    stages = []
    for i in range(4):
        x = block(f"encoder.stages.{i}.0", x, 1 if i == 0 else 2)
        stages.append(x)
    weights = torch.tensor([0.2] + [1.0] * 10)
    semseg = F.cross_entropy(decode("semseg", stages), batch["label.semseg"], weight=weights)
    edge = decode("edge", stages)
    return semseg + F.binary_cross_entropy_with_logits(edge, batch["label.edge"], pos_weight=torch.tensor(4.0))


def make_step(spec, slots, batch, channels_last):
    """A function that takes one step and returns the loss before it."""

    def laid_out(t):
        return t.clone(memory_format=torch.channels_last) if channels_last and t.dim() == 4 else t.clone()

    params = {name: laid_out(value).requires_grad_() for name, value in slots.items()}
    inputs = {name: laid_out(value) for name, value in batch.items()}
    optimizer = make_optimizer(list(params.values()))
    loss_of = {"conv-net": conv_net, "dense-net": dense_net}[model_name]

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(params, inputs)
        loss.backward()
        if spec["clipNorm"] is not None:
            torch.nn.utils.clip_grad_norm_(params.values(), spec["clipNorm"])
        optimizer.step()
        return loss

    return step


def make_optimizer(params):
    for variant in ({"fused": True}, {"foreach": True}):
        try:
            optimizer = torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **variant)
            return optimizer
        except (TypeError, RuntimeError):
            continue
    return torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01)


def timed(step):
    start = time.perf_counter()
    step()
    return (time.perf_counter() - start) * 1e3


def main():
    spec, slots, batch = read_arrays()
    steps = {layout: make_step(spec, slots, batch, layout == "channels last") for layout in ("NCHW", "channels last")}
    losses = [step().item() for step in steps.values()]
    print(json.dumps({"torch": torch.__version__, "onednn": onednn, "losses": losses}), flush=True)
    for line in sys.stdin:
        times = {layout: [timed(step) for _ in range(int(line))] for layout, step in steps.items()}
        print(json.dumps(times), flush=True)


main()
