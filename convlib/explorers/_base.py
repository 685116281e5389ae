"""What all explorers share on Python's side: settings that refuse with a sentence, and the HTML."""

from __future__ import annotations

import html
import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets

from . import _bundle


class Setting(traitlets.TraitType):
    """A synced setting; `check` returns the value to keep, or None for a refusal.

    `rule` says the same to the page, as JSON that lib/explorer.js reads: ``{"from": 1, "to": 10}``
    (whole numbers; ``"real": true`` for others), ``{"words": […]}``, ``{"text": regular expression}``,
    ``{"list": [least, most], "of": rule}`` (and ``"product"``, at most), ``{"keys": {name: rule}}``,
    ``{"any": [rule, …]}``. A setting with a label is a control of the page, in its role's colour.
    """

    def __init__(
        self,
        default: Any,
        must: str,
        check: Callable[[Any], Any],
        rule: dict[str, Any],
        label: str = "",
        role: str = "input",
    ) -> None:
        super().__init__(default_value=default)
        self.must, self.check, self.rule, self.label, self.role = must, check, rule, label, role
        self.names: Sequence[Any] = rule.get("words", ())
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> Any:
        kept = self.check(value)
        if kept is None:
            raise ValueError(
                f"{type(obj).__name__}: {self.name} must be {self.must}, got {value!r}."
            )
        return kept


def _integer(value: Any) -> int | None:
    """Return the value as an int where it is one (NumPy's too), never a bool."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    return int(value) if whole else None


class Whole(Setting):
    """An integer from `low` to `high`, both allowed."""

    def __init__(
        self, low: int, high: int, default: int, label: str = "", role: str = "input"
    ) -> None:
        def check(value: Any) -> int | None:
            whole = _integer(value)
            return whole if whole is not None and low <= whole <= high else None

        must = f"an integer from {low} to {high}"
        super().__init__(default, must, check, {"from": low, "to": high}, label, role)
        self.limits = (low, high)


class Word(Setting):
    """One of a few words, shown as `names` if these are given; the first is the default."""

    def __init__(self, *words: str, label: str = "", names: Sequence[str] = ()) -> None:
        must = "one of " + ", ".join(repr(word) for word in words)
        super().__init__(
            words[0],
            must,
            lambda value: value if isinstance(value, str) and value in words else None,
            {"words": list(words)},
            label,
        )
        self.words, self.names = words, names or words


SPECS: dict[str, dict[str, Any]] = {}


def block(page: str) -> str:
    """Return the data block that explorers.js reads: the specs of the explorers in a page's HTML."""
    specs = {name: spec for name, spec in SPECS.items() if f'data-explorer="{name}"' in page}
    text = json.dumps(specs, ensure_ascii=False).replace("<", "\\u003c")  # no tag ends the block
    return f'<script type="application/json" id="cw-specs">{text}</script>'


class Explorer(anywidget.AnyWidget):
    """The base of the explorers: a widget that is also deterministic HTML with a still picture."""

    _explorer: ClassVar[str] = ""
    # What the page says: title, sentences, lines, code (templates of lib/format.js), and other data.
    _words: ClassVar[dict[str, Any]] = {}
    spec = traitlets.Dict(read_only=True, help="What the page needs to know of the class.").tag(
        sync=True
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_explorer" not in vars(cls):  # the class that traitlets makes for each object
            return
        cls._live = cls._explorer in _bundle.names()
        cls._esm = _bundle.module(cls._explorer) if cls._live else "export default {};"
        cls._css = _bundle.style()
        settings = {key: trait for key, trait in vars(cls).items() if isinstance(trait, Setting)}
        cls._settings = tuple(settings)
        cls._spec = {
            "name": cls._explorer,
            "settings": {key: trait.rule for key, trait in settings.items()},
            "controls": [
                {"key": key, "label": trait.label, "role": trait.role, "names": list(trait.names)}
                for key, trait in sorted(settings.items(), key=lambda one: len(one[1].names) > 0)
                if trait.label
            ],  # sliders first
            **cls._words,
        }
        SPECS[cls._explorer] = cls._spec
        # Help and completion show the settings with their defaults, not ipywidgets' own traits.
        cls.__signature__ = inspect.Signature(
            [
                inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=trait.default_value)
                for key, trait in settings.items()
            ]
        )

    def __init__(self, **settings: Any) -> None:
        unknown = [key for key in settings if key not in self._settings]
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: no setting named {unknown[0]!r}; "
                f"the settings are {', '.join(self._settings)}."
            )
        super().__init__(**settings)

    @traitlets.default("spec")
    def _default_spec(self) -> dict[str, Any]:
        return self._spec

    def state(self) -> dict[str, Any]:
        """Return the settings, as the page holds them."""
        return {key: getattr(self, key) for key in self._settings}

    def still(self) -> tuple[str, str]:
        """Return the present state as an SVG element and as one sentence."""
        raise NotImplementedError

    def __repr__(self) -> str:
        settings = (f"{key}={value!r}" for key, value in self._shown())
        return f"<{type(self).__name__} {' '.join(settings)}>"

    def _shown(self) -> Sequence[tuple[str, Any]]:
        """Settings worth naming in the repr."""
        return list(self.state().items())

    def _repr_html_(self) -> str:
        """Return the mount point of the static book, holding the still picture. Deterministic."""
        picture, sentence = self.still()
        state = html.escape(json.dumps(self.state()), quote=True)
        return (
            f'<div class="cw-explorer" data-explorer="{self._explorer}" data-state="{state}">'
            f'<div class="cw-still">{picture}<p class="cw-sentence">{html.escape(sentence)}</p></div>'
            "</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        if not self._live:  # no module yet: the still picture is the figure in every host
            data = {}
        return {**data, "text/plain": repr(self), "text/html": self._repr_html_()}, metadata


# The code to copy begins with these; the arrays are toy_input's and toy_kernel's.
CONVLIB, TORCH = "import numpy as np\nimport convlib\n\n", "import torch\n\n"
INPUT = (
    "h, w = np.ogrid[:{size}, :{size}]\n"
    "input = np.float32((7 * h + 5 * w + 3 * h * w) % 10)[None, None]\n"
)
WEIGHT = (
    "k, l = np.ogrid[:{kernel_size}, :{kernel_size}]\n"
    "weight = np.float32((2 * k + 3 * l + k * l) % 5 - 2)[None, None]\n"
)
# The same sums as a convolution of spread-out values with the turned kernel.
TURNED = {"path": "turned", "name": "Turned kernel", "caption": "Turned kernel {k} × {k}"}
SPREAD = (
    "spread = np.zeros((1, 1, {{reach}}, {{reach}}), np.float32)\n"
    "spread[..., {{every}}, {{every}}] = {values}\n"
    "whole = convlib.conv2d(spread, weight[..., ::-1, ::-1]{more})\n"
    "{result} = whole[..., {{kept}}, {{kept}}]\n"
)
KERNEL = {"path": "weight", "name": "Kernel", "caption": "Kernel {k} × {k}"}
# Which windows and taps meet at a cell, along both axes.
TAPS = (
    "taps",
    "h·{s} + k·{d} = {row} + {p}: (h, k) = {met.0:kernel}; "
    "w·{s} + l·{d} = {column} + {p}: (w, l) = {met.1:kernel}",
)  # fmt: skip
TENSORS = "torch.from_numpy(input), torch.from_numpy(weight)"
NO_OUTPUT = (
    "No output: the kernel spans {d}·({k} − 1) + 1 = {span} cells, the padded input has "
    "{n} + 2·{p} = {padded}."
)


def call(name: str, arguments: str, *settings: str) -> str:
    """Return a call of a function, its settings by keyword, as a template of code."""
    named = ", ".join(f"{setting}={{{setting}}}" for setting in settings)
    return f"{name}(\n    {arguments},\n    {named},\n)\n"


def spread_out(
    values: np.ndarray, stride: int, border: int, outputs: int
) -> tuple[np.ndarray, range]:
    """Return values with stride − 1 zeros between and a border of zeros, and the rows where they stand.

    A convolution with a kernel of border + 1 cells makes `outputs` rows of it.
    """
    places = range(border, border + (len(values) - 1) * stride + 1, stride)
    spread = np.zeros((outputs + border,) * 2, int)
    spread[np.ix_(places, places)] = values
    return spread, places


def toy_input(size: int) -> np.ndarray:
    """Return the toy input of the explorers, shape (size, size): digits, as lib/arith.js has them."""
    h, w = np.ogrid[:size, :size]
    return (7 * h + 5 * w + 3 * h * w) % 10


def toy_kernel(size: int) -> np.ndarray:
    """Return the toy kernel, shape (size, size): integers from -2 to 2."""
    k, l = np.ogrid[:size, :size]
    return (2 * k + 3 * l + k * l) % 5 - 2
