"""Still figures say what they were given, read on a phone, and are the same each time."""

import io

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from convlib import figures
from convlib.figure_grids import KINDS, _layout
from convlib.figure_style import _luminance, number

GRID = np.arange(12).reshape(3, 4)
PHOTOGRAPH = np.random.default_rng(0).random((20, 30, 3))

DRAWINGS = {
    "grids": lambda: figures.grids(
        {"input": GRID, "kernel": -GRID[:2, :2]}, windows={"input": [(0, 1, 2, 2)]}
    ),
    "pictures": lambda: figures.pictures({"photograph": PHOTOGRAPH, "grey": PHOTOGRAPH[..., 0]}),
    "bars": lambda: figures.bars({"one": 1.5, "two": 20}, unit="ms"),
    "lines": lambda: figures.lines({"one": GRID[0], "two": GRID[1]}, xlabel="place"),
}


def contrast(one, other):
    light, dark = sorted(
        (_luminance(matplotlib.colors.to_rgb(colour)) + 0.05 for colour in (one, other)),
        reverse=True,
    )
    return light / dark


def on_grid(values, kind="input", inch=0.42, **options):
    """Draw a grid of 0.42 inch a cell; return its axes."""
    values = np.atleast_2d(values)
    with figures.style():
        figure = Figure(figsize=(inch * values.shape[1], inch * values.shape[0]))
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        figures.draw_grid(axes, values, kind, **options)
    return axes


def test_colours_come_from_the_tokens_of_the_explorers():
    light, dark = figures.colours("light"), figures.colours("dark")
    assert light.keys() == dark.keys()
    assert {*KINDS, *(f"{kind}-soft" for kind in KINDS), "text", "surface", "line"} <= light.keys()
    assert light["surface"] != dark["surface"]
    assert all(len(colour) == 7 for colour in light.values())
    with pytest.raises(ValueError, match="'light' or 'dark', got 'blue'"):
        figures.colours("blue")


def test_style_ends_with_its_block():
    before = dict(matplotlib.rcParams)
    with figures.style():
        assert matplotlib.rcParams["figure.facecolor"] == figures.colours()["surface"]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_has_twice_the_pixels_it_is_shown_with(name):
    still = DRAWINGS[name]()
    data, metadata = still._repr_mimebundle_()
    picture = Image.open(io.BytesIO(still.png))
    shown = metadata["image/png"]
    assert shown["width"] == 480
    assert picture.width == 2 * shown["width"]
    assert abs(picture.height - 2 * shown["height"]) <= 2
    assert data["text/plain"] == repr(still)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_the_same_each_time_and_stands_on_white(name):
    one, other = DRAWINGS[name](), DRAWINGS[name]()
    assert one.png == other.png
    assert repr(one) == repr(other)
    assert "0x" not in repr(one)
    pixels = np.asarray(Image.open(io.BytesIO(one.png)).convert("RGBA"))
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all()


def test_no_figure_stays_open():
    from matplotlib import _pylab_helpers

    for draw in DRAWINGS.values():
        draw()
    assert not _pylab_helpers.Gcf.figs


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_read_on_their_cells(kind):
    axes = on_grid([[-5, 0, 3, 100]], kind)
    fills = axes.images[0].get_array()
    for column, text in enumerate(axes.texts):
        assert contrast(text.get_color(), fills[0, column][:3]) >= 4.5
    assert contrast(axes.title.get_color(), "white") >= 4.5


def test_cells_hold_the_numbers_given():
    axes = on_grid([[-5, 0.25], [-0.0, 7]])
    assert [text.get_text() for text in axes.texts] == ["\N{MINUS SIGN}5", "0.25", "0", "7"]
    axes = on_grid([[1 / 3, -0.001]], decimals=2)
    assert [text.get_text() for text in axes.texts] == ["0.33", "0.00"]
    assert [text.get_text() for text in on_grid([["a", "b"]]).texts] == ["a", "b"]


@pytest.mark.parametrize("values", [[[7]], [[-13, 18]], [[1234, -1234]], [[0.1234567, 1]]])
def test_numbers_stay_in_their_cells(values):
    axes = on_grid(values)
    renderer = FigureCanvasAgg(axes.figure).get_renderer()
    cell = axes.get_window_extent().width / len(values[0])
    for text in axes.texts:
        assert text.get_window_extent(renderer).width < 0.95 * cell


def test_a_larger_number_is_darker_and_a_scale_is_shared():
    fills = on_grid([[0, 1, 2]]).images[0].get_array()
    light = [_luminance(fill[:3]) for fill in fills[0]]
    assert light[0] > light[1] > light[2]
    wide = on_grid([[0, 1, 2]], scale=(0, 20)).images[0].get_array()
    np.testing.assert_allclose(wide[0, 0], fills[0, 0])
    assert _luminance(wide[0, 2][:3]) > light[2]


def test_kind_is_one_of_the_book():
    with pytest.raises(ValueError, match="kind must be one of input, kernel"):
        on_grid([[1]], "window")


def test_an_outline_frames_the_cells_of_its_window():
    axes = on_grid(GRID)
    figures.outline(axes, 1, 2, 2, 1)
    figures.outline(axes, 0, 0, 1, 1, dashed=True)
    frame, second = axes.patches
    assert frame.get_bbox().bounds == (1.5, 0.5, 1, 2)
    assert frame.get_linestyle() != second.get_linestyle()


def test_grids_lie_apart_and_inside():
    values = {"input": np.zeros((6, 6)), "a kernel with a long name": np.zeros((3, 3)), "y": GRID}
    for columns in (1, 2, 3):
        places, height = _layout(values, columns, 5.0)
        assert list(places) == list(values)
        boxes = list(places.values())
        for left, bottom, w, h in boxes:
            assert 0 <= left and left + w <= 5.0
            assert 0 <= bottom and bottom + h <= height - 0.3
        for at, (left, bottom, w, h) in enumerate(boxes):
            for left2, bottom2, w2, h2 in boxes[at + 1 :]:
                beside = left + w < left2 or left2 + w2 < left
                assert beside or bottom + h < bottom2 or bottom2 + h2 < bottom
        cells = {round(w / values[title].shape[1], 9) for title, (_, _, w, _) in places.items()}
        assert len(cells) == 1


def test_titles_do_not_touch():
    still = figures.grids(
        {"before the stride": np.ones((2, 2)), "after the stride": np.ones((2, 1))}
    )
    places, _ = _layout(
        {"before the stride": np.ones((2, 2)), "after the stride": np.ones((2, 1))}, 2, 5.0
    )
    (left, _, w, _), (left2, _, w2, _) = places.values()
    # 10.5 points: a letter is about 0.085 inch wide
    assert left2 + w2 / 2 - (left + w / 2) > 0.085 * len("before the stride")
    assert repr(still) == "<Still before the stride | after the stride>"


def test_numbers_read_on_a_phone():
    """Shown 350 pixels wide in place of 480, numbers of two digits are still 7 pixels high."""
    usual = {"input": np.zeros((6, 6)), "kernel": np.zeros((3, 3)), "output": np.zeros((4, 4))}
    places, _ = _layout(usual, 3, 5.0)
    cell = places["input"][2] / 6
    axes = on_grid(np.full((6, 6), 24), inch=cell)
    assert axes.texts[0].get_fontsize() * 96 / 72 * 350 / 480 >= 7


def drawn(image, **options):
    figure, axes = figures.canvas()
    figures.draw_picture(axes[0, 0], image, **options)
    return np.asarray(axes[0, 0].images[0].get_array())


def test_pictures_take_channels_first_and_last_bytes_and_fractions():
    np.testing.assert_allclose(drawn(PHOTOGRAPH.transpose(2, 0, 1)), PHOTOGRAPH)
    np.testing.assert_allclose(drawn((PHOTOGRAPH * 255).astype(np.uint8)), PHOTOGRAPH, atol=1 / 255)
    np.testing.assert_allclose(drawn(PHOTOGRAPH[None, ..., 0]), PHOTOGRAPH[..., 0])
    np.testing.assert_allclose(drawn(np.array([[-1.0, 0.5, 2.0]])), [[0, 0.5, 1]])


def test_a_signed_picture_has_zero_in_the_middle():
    shown = drawn(np.array([[-2.0, 0.0, 1.0]]), signed=True)
    assert shown[0, 1] == 0.5
    assert shown[0, 0] < 0.05
    assert 0.7 < shown[0, 2] < 0.8
    np.testing.assert_array_equal(drawn(np.zeros((2, 2)), signed=True), np.full((2, 2), 0.5))


def test_places_without_a_picture_stay_empty():
    still = figures.pictures({"one": PHOTOGRAPH, "two": PHOTOGRAPH, "three": PHOTOGRAPH})
    assert repr(still) == "<Still one | two | three>"


def test_numbers_are_written_as_in_a_table():
    assert number(-2, None) == "\N{MINUS SIGN}2"
    assert number(-0.0, None) == "0"
    assert number(2.5, 2) == "2.50"


FOUND = {
    "settings": {"against": "torch"},
    "rows": [
        {"layer": "1→2 3×3 @5×5", "batch": 1, "algorithm": "torch", "seconds": 2e-3, "ratio": 1.0},
        {
            "layer": "1→2 3×3 @5×5",
            "batch": 1,
            "algorithm": "taps",
            "seconds": 5e-3,
            "ratio": 2.5,
            "memory": 3_250_000,
            "error": 2e-7,
        },
        {"layer": "1→2 3×3 @5×5", "batch": 1, "algorithm": "fft", "missing": "too <small>"},
        {
            "layer": "3→3 1×1 @5×5",
            "batch": 8,
            "algorithm": "taps",
            "seconds": 5e-3,
            "ratio": 9.0,
            "memory": None,
            "error": None,
        },
    ],
}


def test_layers_show_what_was_found_and_what_is_missing():
    shown = figures.layers(FOUND, {"1→2 3×3 @5×5": "a <net>"})
    assert repr(shown) == "<Layers 1→2 3×3 @5×5 | 3→3 1×1 @5×5, batch 8>"
    html = shown._repr_html_()
    assert html.count("<details") == html.count("</details>") == 2
    assert html.count(" open>") == 1
    assert "PyTorch takes 2 ms" in html
    # 2.5 of the 4 at which a bar ends; 9 is over the end
    assert '2.50</span><span class="cw-bar"><span class="cw-fill" style="width:62.5%">' in html
    assert 'cw-fill cw-more" style="width:100.0%"' in html
    assert "<td>3.25</td><td>2e-07</td>" in html and "<td>–</td><td>–</td>" in html
    assert "Not for this layer: fft." in html
    assert "a &lt;net&gt;" in html
    assert figures.layers({**FOUND, "rows": []})._repr_html_() == "<p>No layer was measured.</p>"
