"""Settings are spelled as PyTorch spells them, and refused where PyTorch refuses them."""

from __future__ import annotations

import numpy as np
import pytest
from refusals import assert_refused

from convlib import checks, conv2d, conv_transpose2d, settings
from convlib.padding import MOST
from convlib.validation import assert_matches_torch

X, W, B = np.arange(2 * 4 * 36.0).reshape(2, 4, 6, 6), np.ones((6, 2, 3, 3)), np.arange(6.0)

SPELLINGS = [
    {"stride": 2},
    {"stride": (2,)},
    {"stride": [2]},
    {"stride": (2, 3)},
    {"stride": [1, 2], "padding": [2, 0], "dilation": [1, 2]},
    {"stride": np.int64(2)},
    {"stride": (np.int32(2), 1), "padding": np.uint8(1)},
    {"padding": (1,)},
    {"padding": "valid"},
    {"padding": "same"},
    {"padding": "same", "dilation": (2, 1)},
    {"padding": "valid", "stride": 2},
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_spellings(spelling):
    assert_matches_torch("conv2d", X, W, B, groups=2, **spelling)


def test_positional_and_keyword_order():
    assert_matches_torch("conv2d", X, W, B, 2, 1, 1, 2)
    assert_matches_torch("conv2d", input=X, weight=W, bias=B, groups=2, dilation=2, stride=(1, 2))
    grad = np.ones((2, 6, 5, 5))
    assert_matches_torch("conv_transpose2d", grad, W, None, 2, 1, 1, 2, 1)


REFUSALS = [
    ("stride", (), "stride must be one integer or 2"),
    ("stride", (2, 2, 2), r"stride must be one integer or 2.*got \(2, 2, 2\)"),
    ("stride", 0, "stride must be at least 1, got 0"),
    ("stride", (1, -1), r"stride must be at least 1, got \(1, -1\)"),
    ("stride", 2.0, "stride must be an integer, got 2.0"),
    ("stride", (2.0, 1), "stride must be an integer, got 2.0"),
    ("stride", True, "stride must be an integer, got True"),
    ("stride", (True, 1), "stride must be an integer, got True"),
    ("stride", "2", "stride must be an integer, got '2'"),
    ("stride", None, "stride must be an integer, got None"),
    ("stride", range(1, 3), "stride must be an integer"),
    ("stride", 2**63, "stride must fit into 64 bits"),
    ("padding", (), "padding must be one integer or 2"),
    ("padding", -1, "padding must be at least 0, got -1"),
    ("padding", 2**62, r"padding \d+ and \d+ makes an axis of 9223372036854775814 cells, too many"),
    ("padding", None, "padding must be an integer, got None"),
    ("padding", 1.5, "padding must be an integer, got 1.5"),
    ("padding", "SAME", "padding must be integers, 'same' or 'valid', got 'SAME'"),
    ("padding", "full", "padding must be integers, 'same' or 'valid'"),
    ("dilation", 0, "dilation must be at least 1, got 0"),
    ("dilation", (1, 1, 1), "dilation must be one integer or 2"),
    ("dilation", np.float64(1), "dilation must be an integer"),
    ("dilation", 3, r"kernel spans 7 \(kernel_size 3, dilation 3\).*padded input has 6"),
    ("groups", 0, "groups must be at least 1, got 0"),
    ("groups", -2, "groups must be at least 1, got -2"),
    ("groups", 1.0, "groups must be an integer, got 1.0"),
    ("groups", True, "groups must be an integer, got True"),
    ("groups", (2,), "groups must be an integer"),
    ("groups", 4, "6 output channels must be a positive multiple of groups=4"),
    ("groups", 1, r"must have 2 \* 1 = 2 channels, got 4"),
]


@pytest.mark.parametrize(("name", "value", "pattern"), REFUSALS, ids=str)
def test_refusals(name, value, pattern):
    assert_refused("conv2d", pattern, X, W, B, **{"groups": 2, name: value})


def test_more_outputs_than_memory_has():
    """No torch here: its sizes wrap around."""
    pattern = r"^conv2d: the output of shape \(2, 6, \d+, \d+\) has \d+ cells, too many\.$"
    with pytest.raises(ValueError, match=pattern):
        conv2d(X, W, B, groups=2, padding=2**50)


def test_memory_is_refused_from_the_first_cell_too_many_on():
    """An axis of 0 hides no other: NumPy's limit passes over zeros, too."""
    checks.check_memory("f", "it", (2, 0, MOST // 2))
    for shape in (MOST + 1,), (0, MOST + 1), (2, MOST // 2 + 1):
        with pytest.raises(ValueError, match=r"^f: it of shape \(.*\) has \d+ cells, too many\.$"):
            checks.check_memory("f", "it", shape)


@pytest.mark.parametrize("stride", [2, (2, 1), (1, 2)])
def test_same_refuses_a_stride(stride):
    pattern = "padding='same' needs stride 1"
    assert_refused("conv2d", pattern, X, W, B, groups=2, padding="same", stride=stride)


def test_bools_of_numpy_are_no_integers():
    with pytest.raises(TypeError, match="must be an integer"):
        settings.integer("f", "stride", np.bool_(True))


class LyingInt(int):
    """An int that claims to be within any bounds."""

    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return True

    def __abs__(self):
        return 0


def test_what_comes_out_is_a_plain_int():
    for value in (LyingInt(3), np.int8(3), np.uint64(3)):
        assert type(settings.integer("f", "stride", value)) is int
    assert all(type(n) is int for n in settings.integers("f", "s", [np.int16(2), 1], 2))
    with pytest.raises(ValueError, match="at least 1"):
        settings.integers("f", "stride", LyingInt(-3), 2, least=1)
    with pytest.raises(ValueError, match="64 bits"):
        settings.integer("f", "stride", LyingInt(2**70))


@pytest.mark.parametrize(
    ("value", "error", "pattern"),
    [
        (5, TypeError, "must be a tuple of integers, got 5"),
        ((2, 1.0), TypeError, "must be an integer, got 1.0"),
        ((2, -1), ValueError, r"must not be negative, got \(2, -1\)"),
    ],
)
def test_shapes(value, error, pattern):
    with pytest.raises(error, match=f"^f: input_size {pattern}"):
        settings.shape("f", "input_size", value)
    assert settings.shape("f", "input_size", [np.int64(2), 0]) == (2, 0)


@pytest.mark.parametrize("function", [conv2d, conv_transpose2d])
@pytest.mark.parametrize("name", ["stride", "padding", "dilation", "groups"])
@pytest.mark.parametrize("one", [True, 1.0, np.True_, np.float64(1), (1, True), (1, 1.0)])
def test_an_answer_is_not_kept_for_what_only_equals_it(function, name, one):
    x, w = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
    function(x, w, **{name: (1, 1) if isinstance(one, tuple) and name != "groups" else 1})
    with pytest.raises(TypeError, match=f"{name} must be an integer"):
        function(x, w, **{name: one})


@pytest.mark.parametrize(
    "spelling",
    [{"stride": [1, 1]}, {"stride": np.int64(1)}, {"padding": [np.int8(0)], "groups": np.uint8(1)}],
    ids=str,
)
def test_one_answer_for_any_spelling(spelling):
    """What follows from settings is kept for the object: a new one each time would fill caches."""
    plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    sizes = "conv2d", 2, (1, 1, 5, 5), (1, 1, 3, 3), None
    found = [checks.convolution_settings(*sizes, *(plain | spelling).values()) for _ in range(2)]
    assert found[0] is found[1]
    assert all(type(n) is int for n in (*found[0].stride, *found[0].padding[0], found[0].groups))


@pytest.mark.parametrize(
    ("value", "error", "pattern"),
    [
        ([1, -1], ValueError, r"at least 1, got \[1, -1\]"),
        ([], ValueError, r"one integer or 2.*got \[\]"),
        ([1, True], TypeError, "integer, got True"),
        ([1, np.True_], TypeError, r"integer, got (np\.)?True_?"),
        ([1, 1.0], TypeError, r"integer, got 1\.0"),
        (np.int64(0), ValueError, r"at least 1, got (np\.int64\()?0"),
        (np.timedelta64(1), TypeError, "integer, got .*timedelta64"),
        ([[1], 1], TypeError, r"integer, got \[1\]"),
    ],
    ids=str,
)
def test_a_refusal_shows_what_was_given(value, error, pattern):
    x, w = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
    conv2d(x, w, stride=1)
    for _ in range(2):
        with pytest.raises(error, match=f"^conv2d: stride must be .*{pattern}"):
            conv2d(x, w, stride=value)


def test_a_refusal_comes_again():
    x, w = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
    for _ in range(3):
        with pytest.raises(ValueError, match="padding must be at least 0"):
            conv2d(x, w, padding=-1)
