"""What PyTorch and NumPy say to the questions of the quizzes, computed apart from the notebooks.

`FACTS` names a question by its chapter and its first words. Its function computes the pieces of text
that the right answer must hold, and that no wrong answer may hold all of.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

FACTS: dict[tuple[str, str], Callable[[], list[str]]] = {}


def fact(chapter: str, question: str) -> Callable:
    def keep(function: Callable[[], list[str]]) -> Callable:
        FACTS[chapter, question] = function
        return function

    return keep


def text(*numbers: float) -> str:
    """Numbers as the book writes them: with a true minus, and commas between thousands."""
    return " ".join(f"{number:,.0f}".replace("-", "−") for number in numbers)


def shape(tensor: torch.Tensor) -> str:
    return str(tuple(tensor.shape))


def line(n: int, k: int, **settings) -> torch.Tensor:
    return F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), **settings)


def reads(n: int, k: int, **settings) -> list[int]:
    """How often each cell of a line is read: one lit at a time, all weights 1."""
    lit = F.conv1d(torch.eye(n)[:, None], torch.ones(1, 1, k), **settings)
    return lit.sum((1, 2)).int().tolist()


GRID = torch.tensor(
    [
        [1.0, 0, 2, 3, 1],
        [0, 1, 3, 2, 0],
        [2, 1, 0, 1, 4],
        [1, 3, 1, 0, 2],
        [0, 2, 1, 1, 3],
    ]
)
EDGES = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])


@fact("01-one-window", "The window at `h = 1`")
def _():
    return [text(F.conv2d(GRID[None, None], EDGES[None, None])[0, 0, 1, 2].item())]


@fact("01-one-window", "The grid has 5 rows")
def _():
    y = F.conv2d(GRID[None, None], EDGES[None, None])[0, 0]
    return [f"{y.numel()} places", shape(y)]


@fact("01-one-window", "Two dice have 36")
def _():
    throws = itertools.product(range(1, 7), repeat=2)
    return [str([a + b for a, b in throws].count(4))]


@fact("01-one-window", "Three input channels")
def _():
    x, w = torch.rand(1, 3, 5, 5), torch.rand(2, 3, 3, 3)
    y = F.conv2d(x, w)[0, 0]
    assert torch.allclose(F.conv2d(x, w[:1])[0, 0], y)
    assert not torch.isclose(F.conv2d(x[:, :1], w[:, :1])[0, 0], y).any()
    return ["Fewer input channels alone"]


@fact("01-one-window", "Two output channels")
def _():
    return [f"{torch.nn.Conv2d(3, 2, 3, bias=False).weight.numel()}; no"]


@fact("01-one-window", "Our `conv2d` put")
def _():
    from scipy.signal import convolve2d, correlate2d

    x, k = GRID.numpy(), np.arange(9.0).reshape(3, 3)
    y = F.conv2d(torch.tensor(x)[None, None].double(), torch.tensor(k)[None, None])[0, 0]
    assert np.array_equal(y, correlate2d(x, k, "valid"))
    assert np.array_equal(correlate2d(x, k[::-1, ::-1], "valid"), convolve2d(x, k, "valid"))
    return ["A correlation", "flip both axes"]


@fact("01-one-window", "The grey photograph has")
def _():
    outputs = F.conv2d(torch.zeros(1, 1, 240, 240), torch.zeros(1, 1, 3, 3)).numel()
    dense = torch.nn.Linear(240 * 240, outputs, bias=False, device="meta")
    return [text(dense.weight.numel())]


@fact("01-one-window", "The kernel is 101 numbers")
def _():
    return ["Low", f"{2400 - line(2400, 101).shape[2]} shorter"]


@fact("02-padding", "An input of 5 by 5")
def _():
    x, w = torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, 3, 3)
    return [str(tuple(F.conv2d(x, w, padding=p).shape[2:])) for p in (1, (1, 0))]


@fact("02-padding", "For each of the 7 pixels")
def _():
    return [text(*reads(7, 5, padding=1))]


@fact("02-padding", "An image of 7 by 7, a kernel of 5 by 5")
def _():
    end, middle = (reads(7, 5, padding=1)[at] for at in (0, 3))
    return [f"{end**2}, {end * middle} and {middle**2} times"]


@fact("02-padding", "Each output is the mean")
def _():
    white = F.avg_pool2d(torch.ones(1, 1, 40, 40), 15, 1, 7)
    return ["dark", f"{white[0, 0, 0, 0]:.0%}"]


@fact("02-padding", "A line of 10, a kernel of 5")
def _():
    x, w = torch.zeros(1, 1, 10), torch.zeros(1, 1, 5)
    sizes = [F.conv1d(x, w, padding=p).shape[2] for p in ("valid", "same", 4)]
    causal = F.conv1d(F.pad(x, (4, 0)), w).shape[2]
    even = {name: len(set(reads(10, 5, padding=p))) == 1 for name, p in (("same", 2), ("full", 4))}
    assert even == {"same": False, "full": True}
    return [", ".join(map(str, [*sizes, causal])), "; full"]


@fact("02-padding", "In the signal of chapter 1")
def _():
    x = torch.ones(1, 1, 2400)
    cut = torch.where(torch.arange(2400) < 1200, x, 0)
    w = torch.ones(1, 1, 101)
    firsts = []
    for sides in ((50, 50), (100, 0)):
        before, after = (F.conv1d(F.pad(signal, sides), w) for signal in (x, cut))
        firsts.append((before != after).flatten().nonzero()[0].item())
    return [f"{firsts[0]} and {firsts[1]}"]


@fact("02-padding", "Where does the third zero go")
def _():
    x, w = torch.arange(8.0)[None, None], torch.tensor([[[1.0, 2, 3, 4]]])
    same = F.conv1d(F.pad(x, (1, 2)), w)
    with warnings.catch_warnings(action="ignore"):  # PyTorch says that it copies
        assert torch.equal(same, F.conv1d(x, w, padding="same"))
    assert all(line(8, 4, padding=p).shape[2] != 8 for p in range(9))
    return ["To the end", "no integer"]


@fact("02-padding", "The line 1 2 3 4 5")
def _():
    return [text(*F.pad(torch.arange(1.0, 6)[None], (2, 0), mode="reflect")[0, :2].tolist())]


@fact("02-padding", "A line of 5, a kernel of 3, padding 1")
def _():
    found = []
    for tap in range(3):
        w = torch.zeros(1, 1, 3)
        w[0, 0, tap] = 1
        helped = F.conv1d(torch.ones(1, 1, 5), w, padding=1).flatten().nonzero().flatten()
        whole = len(helped) == 5
        found.append(f"ap {tap} " + ("all" if whole else f"outputs {helped[0]} to {helped[-1]}"))
    return found


@fact("02-padding", "One zero on each side of a 7 by 7 map")
def _():
    more = [(n + 2) ** 2 / n**2 - 1 for n in (7, 112)]
    return [f"{more[0]:.0%} and {more[1]:.0%}", "the convolution"]


@fact("03-strides", "How does the output with stride 2")
def _():
    x, w = torch.rand(1, 1, 9, 9), torch.rand(1, 1, 3, 3)
    assert torch.allclose(F.conv2d(x, w, stride=2), F.conv2d(x, w)[..., ::2, ::2])
    return ["Every second row and column", "a quarter"]


@fact("03-strides", "A line of 12, no padding")
def _():
    gaps = [at for at, count in enumerate(reads(12, 2, stride=3)) if count == 0]
    assert gaps == list(range(2, 12, 3))
    assert len(set(reads(12, 3, stride=2))) > 1
    return ["every third", "stride 2: no"]


@fact("03-strides", "How many multiples of `s`")
def _():
    for big, k, s in itertools.product(range(1, 20), range(1, 8), range(1, 6)):
        if k <= big:
            assert line(big, k, stride=s).shape[2] == (big - k) // s + 1
    return ["(N − k) // s + 1"]


@fact("03-strides", "Kernel 3, stride 2, no padding")
def _():
    sizes = [line(n, 3, stride=2).shape[2] for n in range(5, 10)]
    over = [n for n in range(5, 10) if reads(n, 3, stride=2)[-1] == 0]
    return [text(*sizes), "over in " + " and ".join(map(str, over))]


@fact("03-strides", "The last row and the last column")
def _():
    x = torch.zeros(1, 1, 6, 6)
    x[..., -1, :] = x[..., -1] = torch.nan
    spoiled = [
        int(F.conv2d(x, torch.ones(1, 1, 3, 3), stride=2, padding=p).isnan().sum()) for p in (0, 1)
    ]
    return ["{}, and with padding {}".format(*spoiled)]


@fact("03-strides", "A kernel of 3 taps with dilation 2")
def _():
    # the smallest line that takes one window
    widths = [
        next(n for n in range(3, 20) if n >= d * 2 + 1 and line(n, 3, dilation=d).shape[2] == 1)
        for d in (2, 3)
    ]
    return ["{}, and {}".format(*widths)]


@fact("03-strides", "Kernel 3, stride 2, padding 1. Which")
def _():
    found = [n for n in range(1, 20) if line(n, 3, stride=2, padding=1).shape[2] == 4]
    return [" and ".join(map(str, found))]


@fact("03-strides", "Kernel 3 and stride 2")
def _():
    least = [
        next(z for z in range(9) if line(n + z, 3, stride=2).shape[2] == -(-n // 2)) for n in (5, 6)
    ]
    x = torch.arange(6.0)[None, None]
    w = torch.tensor([[[0.0, 1, 0]]])
    two = [F.conv1d(F.pad(x, sides), w, stride=2) for sides in ((1, 1), (0, 1))]
    assert not torch.equal(*two)
    return ["{} and {}; not for n = 6".format(*least)]


@fact("03-strides", "From 224, what are the five sizes")
def _():
    found = []
    for n in (224, 225):
        sizes = []
        for k, p in ((7, 3), (3, 1), (3, 1), (3, 1), (3, 1)):
            n = line(n, k, stride=2, padding=p).shape[2]
            sizes.append(n)
        found.append(text(*sizes))
    return ["; and ".join(found)]


def ways(*layers: dict[str, int]) -> list[int]:
    """In how many ways the cells of a line reach one output of a stack."""
    y = torch.eye(101)[:, None]
    for layer in layers:
        y = F.conv1d(y, torch.ones(1, 1, 3), **layer)
    counts = y[:, 0, y.shape[2] // 2].int().tolist()
    at = [number for number, count in enumerate(counts) if count]
    return counts[at[0] : at[-1] + 1]


@fact("03-strides", "Three layers of kernel 3, the first")
def _():
    return [str(len(ways({"stride": 2}, {}, {})))]


@fact("03-strides", "Four layers of kernel 3")
def _():
    counts = ways({}, {}, {}, {})
    assert counts.index(max(counts)) == 4 and len(counts) == 9
    return ["middle", str(max(counts))]


@fact("03-strides", "The number in the middle of ResNet-50")
def _():
    # light goes back from one number of the last map: how wide is what it reaches?
    reach = torch.ones(1, 1, 1, dtype=torch.double)
    steps = [(7, 2), (3, 2), *[(3, 1)] * 3, (3, 2), *[(3, 1)] * 3]
    steps += [(3, 2), *[(3, 1)] * 5, (3, 2), *[(3, 1)] * 2]
    for k, s in reversed(steps):
        reach = F.conv_transpose1d(reach, torch.ones(1, 1, k).double(), stride=s)
    width = int((reach > 0).sum())
    # and from the picture to the middle of the map, with the padding that halves
    y = x = torch.ones(1, 1, 224, dtype=torch.double, requires_grad=True)
    for k, s in steps:
        y = F.conv1d(y, torch.ones(1, 1, k).double(), stride=s, padding=k // 2)
    y[0, 0, 3].backward()
    assert y.shape[2] == 7
    return ["Yes" if x.grad.all() else "No", text(width)]


@fact("03-strides", "Which of the 13 convolutions")
def _():
    widths, side, weights, maps = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6, 224, [], []
    for i, (before, width) in enumerate(itertools.pairwise([3, *widths])):
        side //= 2 if i in (2, 4, 7, 10) else 1
        weights.append(torch.nn.Conv2d(before, width, 3).weight.numel())
        maps.append(width * side * side)
    ends = ["last" if np.argmax(n) > 6 else "first" for n in (weights, maps)]
    return [f"Weights: in the {ends[0]}", f"Memory: in the {ends[1]}"]


@fact("04-windows", "`grid` holds 0, 10, 20")
def _():
    down, right = np.zeros((3, 4), np.int16).strides
    return [f"{right} and {down}"]


@fact("04-windows", "Write down the strides of each")
def _():
    grid = np.zeros((3, 4), np.int16)
    arrays = {"grid.T.reshape(2, 6)": grid.T.reshape(2, 6), "grid.T": grid.T, "[::-1]": grid[::-1]}
    return [name for name, array in arrays.items() if not np.shares_memory(array, grid)]


@fact("04-windows", "How many bytes is it from one window")
def _():
    view = np.lib.stride_tricks.sliding_window_view(np.zeros(6, np.int32), 3)
    return [str(view.strides)]


@fact("04-windows", "With stride 2, which of the two")
def _():
    found = []
    x = np.zeros(8, np.int16)
    for name, s, d in (("Stride", 2, 1), ("Dilation", 1, 2)):
        view = np.lib.stride_tricks.sliding_window_view(x, 2 * d + 1)[::s, ::d]
        found.append(f"{name}: {view.strides}, {len(view)} windows")
    return found


@fact("04-windows", "How many bytes does the view show")
def _():
    x = np.zeros(2400, np.float32)
    view = np.lib.stride_tricks.sliding_window_view(x, 401)
    assert np.shares_memory(view, x)
    return [f"{text(view.nbytes)}; none"]


@fact("04-windows", "Two colour photographs as float32")
def _():
    x = np.zeros((2, 3, 240, 240), np.float32)
    view = np.lib.stride_tricks.sliding_window_view(x, (7, 7), (2, 3))[:, :, ::2, ::2, ::3, ::3]
    steps = zip("hwkl", view.strides[2:])
    return [", ".join(f"{letter} {text(step)}" for letter, step in steps)]


@fact("04-windows", "With 3 × 3 windows each")
def _():
    view = np.lib.stride_tricks.sliding_window_view(np.zeros((240, 240)), (7, 7))
    assert 2 < view[::2, ::2, ::3, ::3].size / 240**2 < 2.5
    return ["A little more than two"]


@fact("04-windows", "Six zeros, four windows of three")
def _():
    def view(x):
        return np.lib.stride_tricks.sliding_window_view(x, 3, writeable=True)

    one, cells = np.zeros(6), np.zeros(6)
    view(one)[1, 2] = 9
    writeable = view(cells)
    writeable += 1
    words = {1: "One", 3: "Three"}
    return [f"{words[int((view(one) == 9).sum())]}; then {text(*cells)}"]


@fact("05-contraction", "`a` has the shape")
def _():
    a, b, v = np.zeros((2, 3)), np.zeros((3, 4)), np.zeros(3)
    calls = [("ij->ji", a), ("ij->i", a), ("j,j->", v, v), ("j,k->jk", v, v)]
    calls += [("ij,j->i", a, v), ("ij,jk->ik", a, b)]
    return [", ".join(str(np.einsum(*call).shape) for call in calls)]


@fact("05-contraction", "The windows of a tiny layer")
def _():
    sizes = dict(zip("ngihwkl", (2, 1, 3, 3, 4, 2, 2))) | dict(zip("goikl", (1, 4, 3, 2, 2)))
    return [f"{len(sizes)} loops, {np.prod(list(sizes.values()))} multiplications"]


@fact("05-contraction", "Which letters stand in the windows")
def _():
    a, b, c = set("ngihwkl"), set("goikl"), set("ngohw")
    groups = [(a & c) - b, (b & c) - a, (a & b) - c]
    order = "nghwoikl"
    named = [" ".join(sorted(letters, key=order.index)) for letters in groups]
    return ["; ".join(named), f"{(a & b & c).pop()} is left"]


@fact("05-contraction", "One image of 3 × 4 pixels")
def _():
    columns = F.unfold(torch.zeros(1, 1, 3, 4), 2)[0]
    kernels = torch.zeros(2, 4)
    return [", ".join(map(shape, (columns, kernels, kernels @ columns)))]


@fact("05-contraction", "`np.tensordot(view, weight, axes)`")
def _():
    sizes = dict(zip("nihwkl", range(2, 8))) | {"o": 9}
    view, weight = (np.zeros([sizes[x] for x in letters]) for letters in ("nihwkl", "oikl"))
    result = np.tensordot(view, weight, ((1, 4, 5), (1, 2, 3)))
    letter = {size: name for name, size in sizes.items()}
    return [" ".join(letter[size] for size in result.shape)]


@fact("05-contraction", "Four kernels: 3 × 3 with stride 1")
def _():
    columns = F.unfold(torch.zeros(1, 64, 58, 58), 3).numel() / (64 * 58 * 58)
    assert 8 < columns < 9
    return ["1×1", "nearly 9"]


@fact("05-contraction", "A float32 tensor of shape")
def _():
    x = torch.zeros(1, 64, 6, 5)
    last = x.to(memory_format=torch.channels_last)
    counts = []
    for tensor in (x, last):
        index = np.indices((64, 3, 3)).reshape(3, -1)
        places = np.sort(np.array(tensor.stride()[1:]) @ index)
        counts.append(1 + int((np.diff(places) > 1).sum()))
    return [f"{x.stride()} and {last.stride()}", "; {} and {}".format(*counts)]


@fact("06-groups-and-dilation", "Six channels in, four out")
def _():
    w = torch.rand(4, 3, 3, 3)
    answers = []
    for channel in (2, 3):
        x = torch.zeros(1, 6, 3, 3)
        x[0, channel] = 1
        touched = F.conv2d(x, w, groups=2).flatten().nonzero().flatten().tolist()
        answers.append(" and ".join(map(str, touched)))
    return ["; then ".join(answers)]


@fact("06-groups-and-dilation", "For the layer of the opening question")
def _():
    weight = torch.nn.Conv2d(4, 12, 3, groups=4).weight
    refused = []
    for layer in ((4, 12, 4), (6, 4, 2), (6, 9, 3), (6, 4, 3), (1, 12, 12)):
        try:
            torch.nn.Conv2d(*layer[:2], 3, groups=layer[2])
        except ValueError:
            refused.append(layer)
    assert refused == [(6, 4, 3), (1, 12, 12)]
    return [f"g 4, o {len(weight) // 4}, i {weight.shape[1]}", "the last two"]


@fact("06-groups-and-dilation", "Three colours, two kernels for each")
def _():
    layer = torch.nn.Conv2d(3, 6, 3, groups=3, bias=False)
    y = layer(torch.ones(1, 3, 3, 3) * torch.tensor([1.0, 0, 0])[:, None, None])
    assert y.flatten().nonzero().flatten().tolist() == [0, 1]
    return [shape(layer.weight), "red, red, green, green, blue, blue"]


@fact("06-groups-and-dilation", "64 channels to 64, kernel 3 × 3")
def _():
    def weights(*layers):
        return sum(torch.nn.Conv2d(*a, bias=False, groups=g).weight.numel() for a, g in layers)

    full, depthwise = weights(((64, 64, 3), 1)), weights(((64, 64, 3), 64))
    separable = depthwise + weights(((64, 64, 1), 1))
    return [f"{full // depthwise} and about {full / separable:.0f} times"]


@fact("06-groups-and-dilation", "Ten layers of kernel 3")
def _():
    stacks = [1] * 10, [2**layer for layer in range(10)]
    return ["{} and {}".format(*(1 + sum(2 * d for d in dilations) for dilations in stacks))]


@fact("06-groups-and-dilation", "Dilations 4, 4, 4")
def _():
    stacks = [[{"dilation": d} for d in dilations] for dilations in ((4, 4, 4), (1, 3, 8))]
    return ["{} and {}".format(*(np.count_nonzero(ways(*layers)) ** 2 for layers in stacks))]


@fact("06-groups-and-dilation", "Six layers with both weights ½")
def _():
    def stack(signal):
        for d in (1, 2, 4, 8, 16, 32):
            signal = F.conv1d(F.pad(signal, (d, 0)), torch.full((1, 1, 2), 0.5), dilation=d)
        return signal.flatten()

    light = torch.zeros(1, 1, 2000)
    light[0, 0, 1001] = 1  # as if everything after sample 1000 changed
    seen = stack(light).nonzero().flatten()
    return [f"{len(seen)} samples, {6 * 2} weights; from {seen[0]} on"]


@fact("07-backward", "The pixel in the middle grows by 1")
def _():
    x = torch.zeros(1, 1, 5, 5, requires_grad=True)
    g = torch.tensor([[2.0, -3, -2], [-2, -2, 2], [3, 1, -3]])
    w = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
    y = F.conv2d(x, w)
    y.backward(g[None, None])
    one = torch.zeros(1, 1, 5, 5)
    one[0, 0, 2, 2] = 1
    growth = ", ".join(text(*row.tolist()) for row in F.conv2d(one, w)[0, 0])
    return [growth, f"the loss by {text(x.grad[0, 0, 2, 2].item())}"]


@fact("07-backward", "Which einsum gives the gradient")
def _():
    v, w = torch.rand(2, 1, 3, 2, 2, 3, 2), torch.rand(1, 4, 3, 3, 2)
    v.requires_grad_(), w.requires_grad_()
    g = torch.rand(2, 1, 4, 2, 2)
    torch.einsum("ngihwkl,goikl->ngohw", v, w).backward(g)
    of_weight, of_windows = "ngihwkl,ngohw->goikl", "ngohw,goikl->ngihwkl"
    assert torch.allclose(torch.einsum(of_weight, v, g), w.grad)
    assert torch.allclose(torch.einsum(of_windows, g, w), v.grad)
    return [f"{of_weight} and {of_windows}"]


@fact("07-backward", "Every reading sends back a 1")
def _():
    leaf = torch.zeros(6, requires_grad=True)
    leaf.unfold(0, 3, 1).backward(torch.ones(4, 3))
    address, wrong = np.arange(4)[:, None] + np.arange(3), np.zeros(6)
    wrong[address] += 1
    return [f"{text(*leaf.grad.tolist())}; but += gives {text(*wrong)}"]


@fact("07-backward", "Is the adjoint the inverse")
def _():
    leaf = torch.arange(1.0, 7, requires_grad=True)
    view = leaf.unfold(0, 3, 1)
    view.backward(view.detach())
    return ["No", text(*leaf.grad.tolist())]


@fact("07-backward", "`g` is 3 by 3")
def _():
    padding = next(p for p in range(9) if line(3, 3, padding=p).shape[2] == 5)
    return [f"{padding}; swap the axes o and i"]


@fact("07-backward", "A line of 6, kernel `1 2 3`, stride 2")
def _():
    weight, g = torch.tensor([[[1.0, 2, 3]]]), torch.tensor([[[10.0, 20]]])
    return [text(*torch.nn.grad.conv1d_input((1, 1, 6), weight, g, stride=2).flatten().tolist())]


@fact("07-backward", "Five such networks begin")
def _():
    """Trained by autograd and PyTorch's optimizer; a kernel's slope is found by least squares."""
    from sklearn.datasets import load_digits

    data = load_digits()
    frames = torch.zeros(len(data.images), 1, 10, 10, dtype=torch.float64)
    corners = np.random.default_rng(0).integers(0, 3, (len(data.images), 2))
    for frame, image, (top, left) in zip(frames, data.images, corners):
        frame[0, top : top + 8, left : left + 8] = torch.tensor(image / 16)
    labels = torch.tensor(data.target)
    plane = np.stack([np.repeat([-1.0, 0, 1], 3), np.tile([-1.0, 0, 1], 3)], axis=1)

    def edges(kernels: torch.Tensor) -> int:
        flat = kernels.detach().numpy().reshape(8, 9).T
        fitted = plane @ np.linalg.lstsq(plane, flat, rcond=None)[0]
        return int(((fitted**2).sum(0) > 0.5 * (flat**2).sum(0)).sum())

    before = after = 0
    for seed in range(1, 6):
        rng = np.random.default_rng(seed)
        starts = (rng.normal(0, 0.3, (8, 1, 3, 3)), np.zeros(8))
        starts += (rng.normal(0, 0.1, (512, 10)), np.zeros(10))
        w, b, dense, offset = parts = [torch.tensor(s, requires_grad=True) for s in starts]
        before += edges(w)
        optimizer = torch.optim.SGD(parts, lr=0.05, momentum=0.9)
        for _ in range(20):
            for some in torch.tensor(rng.permutation(1400)).split(50):
                scores = F.conv2d(frames[some], w, b).relu().flatten(1) @ dense + offset
                optimizer.zero_grad()
                F.cross_entropy(scores, labels[some]).backward()
                optimizer.step()
        after += edges(w)
    assert before == 2  # as the question says
    return [f"{after} of 40"]


@fact("08-transposed", "An input of 2 by 2")
def _():
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    y = F.conv_transpose2d(x, torch.arange(1.0, 10).reshape(1, 1, 3, 3), stride=2)[0, 0]
    return [f"{y.shape[0]} by {y.shape[1]}; {text(y[2, 2].item())}"]


@fact("08-transposed", "Kernel `1 2 3`, stride 2: how many")
def _():
    weight = torch.tensor([[[1.0, 2, 3]]])
    there = F.conv1d(torch.eye(5)[:, None], weight, stride=2)[:, 0].T
    back = F.conv_transpose1d(torch.eye(2)[:, None], weight, stride=2)[:, 0].T
    assert torch.equal(back, there.T)
    return ["{} rows, {} columns".format(*there.shape), "transposed"]


@fact("08-transposed", "A kernel of 2 by 2 on an image of 3 by 3")
def _():
    matrix = F.conv2d(torch.eye(9).reshape(9, 1, 3, 3), torch.arange(1.0, 5).reshape(1, 1, 2, 2))
    matrix = matrix.reshape(9, 4).T
    return ["{} by {}".format(*matrix.shape), f"; {(matrix == 0).sum()}"]


@fact("08-transposed", "The output was 5. With `padding=1`")
def _():
    x, w = torch.zeros(1, 1, 2), torch.zeros(1, 1, 3)
    sizes = [
        F.conv_transpose1d(x, w, stride=2, **{name: value}).shape[2]
        for name, value in (("padding", 1), ("dilation", 2))
    ]
    return ["{}; and {}".format(*sizes)]


@fact("08-transposed", "Kernel 3, stride 2, padding 1. Which")
def _():
    found = [n for n in range(1, 20) if line(n, 3, stride=2, padding=1).shape[2] == 4]
    settings = {"stride": 2, "padding": 1, "output_padding": 1}
    last = F.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3), **settings)[0, 0, -1]
    return [" and ".join(map(str, found)), "is not 0" if last else "is 0"]


@fact("08-transposed", "For stride 2, with which kernel sizes")
def _():
    def even(s):
        found = []
        for k in range(1, 7):
            y = F.conv_transpose1d(torch.ones(1, 1, 20), torch.ones(1, 1, k), stride=s)
            if len(set(y[0, 0, 12:18].tolist())) == 1:
                found.append(str(k))
        return ", ".join(found)

    return [f"{even(2)}; and {even(3)}"]


@fact("08-transposed", "The stride is 2. Kernel `1 2 1`")
def _():
    kernels = {"1 2 1, halved": [0.5, 1, 0.5], "1 4 1 2": [1.0, 4, 1, 2]}
    found = []
    for name, taps in kernels.items():
        y = F.conv_transpose1d(torch.ones(1, 1, 9), torch.tensor([[taps]]), stride=2)
        if y[0, 0, 6] == y[0, 0, 7]:
            found.append(name)
    return [" and ".join(found)]


@fact("08-transposed", "Patches of 16 by 16, 8 apart")
def _():
    ones = torch.ones(1, 1, 240, 240)
    counts = F.fold(F.unfold(ones, 16, stride=8), (240, 240), 16, stride=8).unique()
    a, b, c = counts.int().tolist()
    return [f"{a}, {b} or {c}"]


@fact("08-transposed", "Kernel 3, stride 2. The turned kernel")
def _():
    places = {
        "the middle one": [[1, 1]],
        "the two beside the middle": [[1, 0], [1, 2]],
        "the four corners": [[0, 0], [0, 2], [2, 0], [2, 2]],
    }

    def met(row, column):
        """The taps of the turned kernel that have a part in an output."""
        weight = torch.ones(1, 1, 3, 3, requires_grad=True)
        F.conv_transpose2d(torch.ones(1, 1, 4, 4), weight, stride=2)[0, 0, row, column].backward()
        taps = weight.grad[0, 0].flip(0, 1).nonzero().tolist()
        return next(name for name, those in places.items() if those == taps)

    assert met(3, 3) == "the middle one"
    return [f"{met(3, 4).capitalize()}; {met(4, 4)}"]


@fact("08-transposed", "Three layers with kernel 3 and stride 2")
def _():
    counts = torch.ones(1, 1, 20)
    for _layer in range(3):
        counts = F.conv_transpose1d(counts, torch.ones(1, 1, 3), stride=2)
    inside = counts[0, 0, 16:-16]
    return [f"{(inside.max() / inside.min()).item():.0f} times"]


@fact("08-transposed", "In two dimensions with stride 2")
def _():
    zeros = 1 - 8 * 8 / 15**2
    assert 0.7 < zeros < 0.75
    return ["Nearly three quarters; yes"]


@fact("09-speed", "The first layer above has 64 channels")
def _():
    return [f"{2 * torch.nn.Conv2d(64, 64, 3, bias=False).weight.numel() * 56**2 / 1e9:.2f} GFLOPs"]


@fact("09-speed", "An image of 4 × 5, a kernel")
def _():
    pixels = torch.arange(20).reshape(4, 5)
    seen = pixels[1:, 1:].flatten()
    run = range(seen[0], seen[-1] + 1)
    others = sorted(set(run) - set(seen.tolist()))
    assert others == [10, 15]
    return [f"{len(run)}; two pixels"]


@fact("09-speed", "How many multiplications does such a tile")
def _():
    y = F.conv2d(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 3, 3))
    return [f"{y.numel() * 9} and {4 * 4}"]


@fact("09-speed", "Leave rounding aside")
def _():
    image, kernel = torch.randn(1, 1, 9, 8).double(), torch.randn(1, 1, 3, 3).double()
    spectra = torch.fft.rfft2(image), torch.fft.rfft2(kernel, s=image.shape[2:])
    by_fft = torch.fft.irfft2(spectra[0] * spectra[1].conj(), s=image.shape[2:])
    end = [n - m for n, m in zip(by_fft.shape, F.conv2d(image, kernel).shape, strict=True)][2:]
    assert torch.allclose(by_fft[..., : -end[0], : -end[1]], F.conv2d(image, kernel))
    return [f"last {end[0]} rows and columns"]


@fact("09-speed", "24 registers hold sums")
def _():
    shapes = {
        "24 outputs with one": (24, 1),
        "8 outputs with three": (8, 3),
        "One with 24": (1, 24),
    }
    assert all(outputs * registers == 24 for outputs, registers in shapes.values())
    loads = {name: outputs + registers for name, (outputs, registers) in shapes.items()}
    return [min(loads, key=loads.get)]


@fact("10-gpu", "The layer 64 → 64 on 56 × 56")
def _():
    image = torch.zeros(1, 64, 58, 58)
    sizes = [256 * 4 * tensor.numel() / 1e6 for tensor in (image, F.unfold(image, 3))]
    return ["{:.0f} and {:.0f}".format(*sizes)]


@fact("10-gpu", "Take a 3 × 3 convolution twice")
def _():
    zeros, each_tap = 1, 2  # a product and a sum for each tap; the other way copies and multiplies
    return [f"{zeros + each_tap * 3 * 3} and 2; the same"]
