"""The PyTorch side of `npm run bench -- aggregate`: one round of FedHCA² on CPU tensors, hyper-weight update included.

usage: aggregate_torch.py [--clients N] [--encoder P] [--decoders K] [--decoder-size Q] [--threads T] [--repeats R]

Written as an engineer would who wants it fast: the encoder goes by in chunks that fit the cache, every buffer is allocated once,
nothing is copied that need not be, and whichever of PyTorch's products is faster on this build (`mm`, `mv`) makes the Gram.
All clients but the last have one task, the last has the rest of the K decoders. Params are made up: base ~ N(0, 0.02²),
local = base + N(0, 0.001²). No two clients share domain and tasks, so a client's group mean is its own update.

Writes one JSON line: seconds (one per repeat, after a round to warm up), torch, threads, extraPeakBytes (peak resident memory
beyond what was resident with inputs, outputs and the memory of the last round in place), gramProduct, chunk.

Notation as in docs/notation.md: N clients, P encoder params, K decoders; Δ = local − base.
"""

import argparse
import json
import math
import os
import resource
import sys
import time

PARSER = argparse.ArgumentParser(description="one round of FedHCA2 in PyTorch on the CPU")
PARSER.add_argument("--clients", type=int, default=6)
PARSER.add_argument("--encoder", type=int, default=27_500_000, help="params of one encoder")
PARSER.add_argument("--decoders", type=int, default=None, help="decoders of all clients together; default clients + 3")
PARSER.add_argument("--decoder-size", type=int, default=500_000, help="params of one decoder, in four layers")
PARSER.add_argument("--threads", type=int, default=1)
PARSER.add_argument("--repeats", type=int, default=5)
PARSER.add_argument("--chunk", type=int, default=1 << 15, help="encoder params of each client in one step")

CONFLICT_RADIUS = 0.4
FIRST_HYPER_WEIGHT = 0.1
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 1e-4
DECODER_LAYERS = 4
BIAS = 256


def import_torch(threads):
    """PyTorch, on so many threads. Debian's 1.13 ends with a signal in oneDNN on some processors; nothing here needs it."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)
    torch.backends.mkldnn.enabled = False
    torch.manual_seed(1)
    return torch


def conflict_averse_factors(torch, gram, radius):
    """Ũ = Σ factors_j Δ_j from the Gram (f64, N×N): exact line searches between pairs of weights (pairwise Frank-Wolfe)."""
    count = gram.shape[0]
    g = (gram * (count / gram.trace())).tolist() if gram.trace() > 0 else gram.tolist()
    mean_norm = math.sqrt(max(0.0, sum(map(sum, g)))) / count
    if mean_norm < 1e-7:
        return torch.zeros(count, dtype=torch.float64)
    slope = [sum(row) / count for row in g]
    w = [1 / count] * count
    image = list(slope)  # G·w
    for _ in range(20 * count + 200):
        norm2 = sum(x * y for x, y in zip(w, image))
        if norm2 < 1e-14:
            break
        scale = radius * mean_norm / math.sqrt(norm2)
        gradient = [b + scale * x for b, x in zip(slope, image)]
        to = min(range(count), key=gradient.__getitem__)
        source = max((j for j in range(count) if w[j] > 0), key=gradient.__getitem__)
        if gradient[source] - gradient[to] < 1e-12 * (abs(gradient[to]) + 1e-12):
            break
        step = line_minimum(g, w, image, source, to, norm2, slope[to] - slope[source], radius * mean_norm)
        if not step > 0:
            break
        w[source] -= step
        w[to] += step
        image = [x + step * (a - b) for x, a, b in zip(image, g[to], g[source])]
    norm2 = sum(x * y for x, y in zip(w, image))
    ratio = radius * mean_norm / math.sqrt(norm2) if norm2 > 1e-10 else 0.0
    return torch.tensor([(1 / count + ratio * x) / (1 + radius**2) for x in w], dtype=torch.float64)


def line_minimum(g, w, image, source, to, norm2, slope, radius):
    """argmin over t in [0, w_source] of slope·t + radius·sqrt(A t² + 2 B t + C), in closed form."""
    curvature = g[to][to] + g[source][source] - 2 * g[to][source]
    cross = image[to] - image[source]
    ratio = -slope / radius
    room = curvature - ratio * ratio
    if curvature <= 0 or room <= 0:
        return w[source] if slope + radius * cross / math.sqrt(norm2) < 0 else 0.0
    off = max(0.0, norm2 - cross * cross / curvature)
    return min(w[source], max(0.0, (ratio * math.sqrt(curvature * off / room) - cross) / curvature))


class HyperWeights:
    """Learned mixing coefficients of one shape; SGD with momentum and coupled weight decay, frozen outside [0, 1]."""

    def __init__(self, torch, shape):
        self.values = torch.full(shape, FIRST_HYPER_WEIGHT, dtype=torch.float64)
        self.velocity = None

    def step(self, gradient):
        gradient = gradient.where((self.values >= 0) & (self.values <= 1), gradient.new_zeros(()))
        gradient = gradient + WEIGHT_DECAY * self.values
        self.velocity = gradient if self.velocity is None else self.velocity.mul_(MOMENTUM).add_(gradient)
        self.values -= LEARNING_RATE * self.velocity

    def clamped(self):
        return self.values.clamp(0, 1)


class EncoderStep:
    """Hyper Conflict-Averse Aggregation. `common` holds the last round's Ũ and receives this round's."""

    def __init__(self, torch, count, chunk, gram_product):
        self.torch, self.count, self.chunk, self.gram_product = torch, count, chunk, gram_product
        self.alpha = HyperWeights(torch, (count,))
        self.rows = torch.empty(count + 1, chunk)  # Δ of every client; below them the last round's Ũ, later this one's
        self.mixed = torch.empty(count + 1, chunk)
        self.has_common = False

    def deltas(self, base, local, start, end):
        rows = self.rows if end - start == self.chunk else self.rows[:, : end - start]
        for row, before, after in zip(rows, base, local):
            self.torch.sub(after[start:end], before[start:end], out=row)
        return rows

    def gram(self, base, local, common):
        size = common.numel()
        total = self.torch.zeros(self.count + 1, self.count + 1, dtype=self.torch.float64)
        for start in range(0, size, self.chunk):
            end = min(start + self.chunk, size)
            rows = self.deltas(base, local, start, end)
            rows[self.count].copy_(common[start:end])
            total += self.gram_product(rows)
        return total

    def __call__(self, base, local, out, common):
        torch, count = self.torch, self.count
        gram = self.gram(base, local, common)
        if self.has_common:
            self.alpha.step(-gram[count, :count])
        self.has_common = True
        factors = conflict_averse_factors(torch, gram[:count, :count], CONFLICT_RADIUS)
        # One product makes every client's Δ_i + α_i·Ũ, and Ũ below them.
        mix = torch.cat([torch.eye(count, dtype=torch.float64) + self.alpha.clamped()[:, None] * factors, factors[None]])
        mix = mix.float()
        for start in range(0, common.numel(), self.chunk):
            end = min(start + self.chunk, common.numel())
            deltas = self.deltas(base, local, start, end)[:count]
            mixed = self.mixed[:, : end - start]
            torch.mm(mix, deltas, out=mixed)
            for row, before, after in zip(mixed, base, out):
                torch.add(before[start:end], row, out=after[start:end])
            common[start:end].copy_(mixed[count])
        return gram, factors


class DecoderStep:
    """Hyper Cross Attention Aggregation. `attended` holds the last round's M per tensor and receives this round's."""

    def __init__(self, torch, count, tensor_sizes, tensor_layers):
        self.torch, self.count, self.layers = torch, count, tensor_layers
        self.beta = HyperWeights(torch, (max(tensor_layers) + 1, count))
        self.deltas = [torch.empty(count, size) for size in tensor_sizes]
        self.has_attended = False

    def __call__(self, base, local, out, attended):
        torch = self.torch
        gradient = torch.zeros_like(self.beta.values)
        for p, (delta, layer) in enumerate(zip(self.deltas, self.layers)):
            for k in range(self.count):
                torch.sub(local[k][p], base[k][p], out=delta[k])
                if self.has_attended:
                    gradient[layer, k] -= torch.dot(attended[p][k], delta[k])
        if self.has_attended:
            self.beta.step(gradient)
        self.has_attended = True
        beta = self.beta.clamped().tolist()
        for p, (delta, layer) in enumerate(zip(self.deltas, self.layers)):
            scores = torch.stack([torch.mv(delta, row) for row in delta]) / math.sqrt(delta.shape[1])
            torch.mm(torch.softmax(scores, dim=1), delta, out=attended[p])
            for k in range(self.count):
                torch.add(local[k][p], attended[p][k], alpha=beta[layer][k], out=out[k][p])


def faster_gram_product(torch, count, chunk):
    """Of the ways to multiply a few long rows with each other: PyTorch builds differ in which has a good kernel."""

    def by_matrix(rows):
        return torch.mm(rows, rows.T).double()

    def by_vectors(rows):
        return torch.stack([torch.mv(rows, row) for row in rows]).double()

    rows = torch.randn(count + 1, chunk)
    times = {}
    for product in (by_matrix, by_vectors):
        product(rows)
        start = time.perf_counter()
        for _ in range(3):
            product(rows)
        times[product] = time.perf_counter() - start
    return min(times, key=times.get)


def decoder_tensors(size):
    """Sizes of one decoder's tensors and the layer of each: a weight and a bias in every layer."""
    weight = max(1, size // DECODER_LAYERS - BIAS)
    sizes = [weight, BIAS] * DECODER_LAYERS
    sizes[0] += max(0, size - sum(sizes))
    return sizes, [layer for layer in range(DECODER_LAYERS) for _ in range(2)]


def made_up(torch, count, size):
    """base and local of `count` models, and outputs, already in memory."""
    base = [torch.empty(size).normal_(0, 0.02) for _ in range(count)]
    local = [torch.empty(size).normal_(0, 0.001).add_(before) for before in base]
    return base, local, [torch.zeros(size) for _ in range(count)]


def split(vectors, sizes):
    return [list(vector.split(sizes)) for vector in vectors]


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    options = PARSER.parse_args()
    decoder_count = options.decoders if options.decoders is not None else options.clients + 3
    if min(options.clients, options.encoder, options.decoder_size, options.threads, options.repeats, options.chunk) < 1:
        PARSER.error("every number must be 1 or more")
    if decoder_count < options.clients:
        PARSER.error("--decoders: at least one for each client")
    torch = import_torch(options.threads)

    sizes, layers = decoder_tensors(options.decoder_size)
    encoder_params = made_up(torch, options.clients, options.encoder)
    decoder_params = [split(vectors, sizes) for vectors in made_up(torch, decoder_count, sum(sizes))]
    common = torch.zeros(options.encoder)
    attended = [torch.zeros(decoder_count, size) for size in sizes]

    resident = resident_bytes()
    chunk = min(options.chunk, options.encoder)
    product = faster_gram_product(torch, options.clients, chunk)
    encoder = EncoderStep(torch, options.clients, chunk, product)
    decoder = DecoderStep(torch, decoder_count, sizes, layers)
    seconds = []
    for _ in range(options.repeats + 1):
        start = time.perf_counter()
        encoder(*encoder_params, common)
        decoder(*decoder_params, attended)
        seconds.append(time.perf_counter() - start)
    result = {
        "seconds": seconds[1:],
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "extraPeakBytes": max(0, peak_bytes() - resident),
        "gramProduct": "mm" if product.__name__ == "by_matrix" else "mv",
        "chunk": chunk,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
