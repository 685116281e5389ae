"""The convolutions of well-known networks, each kind once, with how often it occurs.

Sources: K. He et al., *Deep residual learning* (2016), with the stride in the 3×3 layers, as
torchvision has it; K. Simonyan and A. Zisserman, *Very deep convolutional networks* (2015);
M. Sandler et al., *MobileNetV2* (2018); S. Xie et al., *Aggregated residual transformations* (2017);
O. Ronneberger et al., *U-Net* (2015), here with padding, on 256×256; Y. LeCun et al.,
*Gradient-based learning* (1998); D. Tran et al., *Learning spatiotemporal features* (2015).
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Layer(NamedTuple):
    """One convolution: channels, the size of its input, and its settings."""

    inputs: int
    outputs: int
    size: tuple[int, ...]
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    groups: int = 1
    times: int = 1
    transposed: bool = False

    @property
    def kind(self) -> str:
        """The suite that a layer counts in, beside its network's."""
        if len(self.size) == 3:
            return "3-d"
        if self.groups == self.inputs > 1:
            return "depthwise"
        if self.groups > 1:
            return "grouped"
        if max(self.inputs, self.outputs) <= 16:
            return "tiny"
        return "dense"

    @property
    def for_winograd(self) -> bool:
        """Tell whether Winograd's algorithm can compute it: 3×3, stride 1, dense."""
        return (self.kernel, self.stride, self.kind) == (3, 1, "dense") and not self.transposed

    @property
    def output(self) -> tuple[int, ...]:
        """Output size along each spatial axis."""
        if self.transposed:
            return tuple((n - 1) * self.stride - 2 * self.padding + self.kernel for n in self.size)
        return tuple((n + 2 * self.padding - self.kernel) // self.stride + 1 for n in self.size)

    def __str__(self) -> str:
        size = "×".join(map(str, self.size))
        text = f"{self.inputs}→{self.outputs} {'×'.join([str(self.kernel)] * len(self.size))}"
        if self.stride > 1:
            text += f" s{self.stride}"
        if self.groups > 1:
            text += f" g{self.groups}"
        return f"{text}{' transposed' if self.transposed else ''} @{size}"


def conv(inputs: int, outputs: int, size: int, kernel: int = 3, **more: Any) -> Layer:
    """A 2-d layer on a square, padded so that stride 1 keeps the size."""
    return Layer(inputs, outputs, (size, size), kernel, padding=kernel // 2, **more)


def depthwise(channels: int, size: int, stride: int = 1, times: int = 1) -> Layer:
    """One 3×3 kernel a channel."""
    return conv(channels, channels, size, stride=stride, groups=channels, times=times)


def up(inputs: int, outputs: int, size: int) -> Layer:
    """U-Net's way up: a transposed convolution that doubles the size."""
    return Layer(inputs, outputs, (size, size), 2, 2, 0, transposed=True)


def volume(inputs: int, outputs: int, depth: int, size: int, times: int = 1) -> Layer:
    """A 3×3×3 layer."""
    return Layer(inputs, outputs, (depth, size, size), times=times)


RESNET50 = [
    conv(3, 64, 224, 7, stride=2),
    conv(64, 64, 56, 1), conv(64, 64, 56, times=3), conv(64, 256, 56, 1, times=4),
    conv(256, 64, 56, 1, times=2),
    conv(256, 128, 56, 1), conv(128, 128, 56, stride=2), conv(128, 512, 28, 1, times=4),
    conv(256, 512, 56, 1, stride=2), conv(512, 128, 28, 1, times=3), conv(128, 128, 28, times=3),
    conv(512, 256, 28, 1), conv(256, 256, 28, stride=2), conv(256, 1024, 14, 1, times=6),
    conv(512, 1024, 28, 1, stride=2), conv(1024, 256, 14, 1, times=5), conv(256, 256, 14, times=5),
    conv(1024, 512, 14, 1), conv(512, 512, 14, stride=2), conv(512, 2048, 7, 1, times=3),
    conv(1024, 2048, 14, 1, stride=2), conv(2048, 512, 7, 1, times=2), conv(512, 512, 7, times=2),
]  # fmt: skip

VGG16 = [
    conv(3, 64, 224), conv(64, 64, 224),
    conv(64, 128, 112), conv(128, 128, 112),
    conv(128, 256, 56), conv(256, 256, 56, times=2),
    conv(256, 512, 28), conv(512, 512, 28, times=2), conv(512, 512, 14, times=3),
]  # fmt: skip

MOBILENETV2 = [
    conv(3, 32, 224, stride=2), depthwise(32, 112), conv(32, 16, 112, 1),
    conv(16, 96, 112, 1), depthwise(96, 112, 2), conv(96, 24, 56, 1),
    conv(24, 144, 56, 1, times=2), depthwise(144, 56), conv(144, 24, 56, 1),
    depthwise(144, 56, 2), conv(144, 32, 28, 1),
    conv(32, 192, 28, 1, times=3), depthwise(192, 28, times=2), conv(192, 32, 28, 1, times=2),
    depthwise(192, 28, 2), conv(192, 64, 14, 1),
    conv(64, 384, 14, 1, times=4), depthwise(384, 14, times=4), conv(384, 64, 14, 1, times=3),
    conv(384, 96, 14, 1), conv(96, 576, 14, 1, times=3), depthwise(576, 14, times=2),
    conv(576, 96, 14, 1, times=2), depthwise(576, 14, 2), conv(576, 160, 7, 1),
    conv(160, 960, 7, 1, times=3), depthwise(960, 7, times=3), conv(960, 160, 7, 1, times=2),
    conv(960, 320, 7, 1), conv(320, 1280, 7, 1),
]  # fmt: skip

RESNEXT50 = [
    conv(3, 64, 224, 7, stride=2),
    conv(64, 128, 56, 1), conv(128, 128, 56, groups=32, times=3), conv(128, 256, 56, 1, times=3),
    conv(64, 256, 56, 1), conv(256, 128, 56, 1, times=2),
    conv(256, 256, 56, 1), conv(256, 256, 56, stride=2, groups=32), conv(256, 512, 28, 1, times=4),
    conv(256, 512, 56, 1, stride=2), conv(512, 256, 28, 1, times=3),
    conv(256, 256, 28, groups=32, times=3),
    conv(512, 512, 28, 1), conv(512, 512, 28, stride=2, groups=32), conv(512, 1024, 14, 1, times=6),
    conv(512, 1024, 28, 1, stride=2), conv(1024, 512, 14, 1, times=5),
    conv(512, 512, 14, groups=32, times=5),
    conv(1024, 1024, 14, 1), conv(1024, 1024, 14, stride=2, groups=32),
    conv(1024, 2048, 7, 1, times=3), conv(1024, 2048, 14, 1, stride=2),
    conv(2048, 1024, 7, 1, times=2), conv(1024, 1024, 7, groups=32, times=2),
]  # fmt: skip

UNET = [
    conv(1, 64, 256), conv(64, 64, 256, times=2), conv(64, 128, 128), conv(128, 128, 128, times=2),
    conv(128, 256, 64), conv(256, 256, 64, times=2), conv(256, 512, 32),
    conv(512, 512, 32, times=2), conv(512, 1024, 16), conv(1024, 1024, 16),
    up(1024, 512, 16), conv(1024, 512, 32), up(512, 256, 32), conv(512, 256, 64),
    up(256, 128, 64), conv(256, 128, 128), up(128, 64, 128), conv(128, 64, 256),
    conv(64, 2, 256, 1),
]  # fmt: skip

LENET = [Layer(1, 6, (28, 28), 5, padding=2), Layer(6, 16, (14, 14), 5, padding=0)]

C3D = [
    volume(3, 64, 16, 112), volume(64, 128, 16, 56), volume(128, 256, 8, 28),
    volume(256, 256, 8, 28), volume(256, 512, 4, 14), volume(512, 512, 4, 14),
    volume(512, 512, 2, 7, times=2),
]  # fmt: skip

# what CI runs: every kind of layer, each small
SMALL = [
    conv(4, 6, 9), conv(4, 20, 9, stride=2), conv(20, 4, 8, 1), depthwise(18, 9),
    conv(32, 32, 9, groups=4), up(18, 4, 5), volume(18, 3, 4, 5),
]  # fmt: skip

NETWORKS = {
    "resnet50": RESNET50,
    "vgg16": VGG16,
    "mobilenetv2": MOBILENETV2,
    "resnext50": RESNEXT50,
    "unet": UNET,
    "lenet": LENET,
    "c3d": C3D,
    "small": SMALL,
}
