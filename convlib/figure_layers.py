"""A table that the reader opens by layer: each algorithm of a benchmark beside PyTorch.

It is plain HTML, made from what `convlib.benchmark.measure` found: one `<details>` a layer, of which
one is open at a time. It needs no script, and reads as a list of tables where there is no style.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["Layers", "layers"]

MOST = 4.0  # times the peer's time at which a bar ends


class Layers:
    """The tables of a benchmark's layers, as HTML and as text."""

    def __init__(self, found: Mapping[str, Any], names: Mapping[str, str] | None = None):
        self.against = found["settings"]["against"]
        self.peer = self.against.replace("torch", "PyTorch")
        self.names = names or {}
        self.layers: dict[str, list[dict[str, Any]]] = {}
        for row in found["rows"]:
            # a layer may stand in two networks, or be asked for with two batches
            key = f"{row['layer']}, batch {row['batch']}" if row["batch"] > 1 else row["layer"]
            self.layers.setdefault(key, []).append(row)

    def __repr__(self) -> str:
        return f"<Layers {' | '.join(self.layers)}>"

    def _repr_html_(self) -> str:
        if not self.layers:
            return "<p>No layer was measured.</p>"
        parts = [
            self._layer(layer, rows, number == 0)
            for number, (layer, rows) in enumerate(self.layers.items())
        ]
        return f'<div class="cw-layers">{STYLE}{"".join(parts)}</div>'

    def _layer(self, layer: str, rows: list[dict[str, Any]], is_open: bool) -> str:
        """One layer: its name and PyTorch's time, and under it a row for each algorithm."""
        peer = next((row for row in rows if row["algorithm"] == self.against), {})
        timed = [row for row in rows if "ratio" in row and row is not peer]
        timed.sort(key=lambda row: row["ratio"])
        missing = [row["algorithm"] for row in rows if "missing" in row]
        head = escape(layer)
        if name := self.names.get(layer, ""):
            head += f" <small>{escape(name)}</small>"
        time = f"{self.peer} takes {1e3 * peer['seconds']:.3g} ms" if "seconds" in peer else ""
        lines = "".join(map(self._line, timed))
        left_out = f"<p>Not for this layer: {escape(', '.join(missing))}.</p>" if missing else ""
        return (
            f'<details name="cw-layers"{" open" if is_open else ""}><summary>{head}</summary>'
            f"<table><caption>{escape(time)}</caption><thead><tr>"
            f'<th scope="col">algorithm</th><th scope="col">time over {escape(self.peer)}’s</th>'
            f'<th scope="col">extra memory, MB</th><th scope="col">error</th></tr></thead>'
            f"<tbody>{lines}</tbody></table>{left_out}</details>"
        )

    def _line(self, row: dict[str, Any]) -> str:
        ratio = row["ratio"]
        width = 100 * min(ratio, MOST) / MOST
        more = " cw-more" if ratio > MOST else ""
        memory, error = row.get("memory"), row.get("error")
        return (
            f'<tr><th scope="row">{escape(row["algorithm"])}</th>'
            f'<td><span class="cw-ratio">{ratio:.2f}</span><span class="cw-bar">'
            f'<span class="cw-fill{more}" style="width:{width:.1f}%"></span></span></td>'
            f"<td>{'–' if memory is None else f'{memory / 1e6:.2f}'}</td>"
            f"<td>{'–' if error is None else f'{error:.0e}'}</td></tr>"
        )


# The line at a quarter of a bar is 1, the peer's time: MOST is 4.
STYLE = """<style>
.cw-layers{--c-bar:var(--cw-input,#0b63bd);--c-line:var(--cw-line,#c5ced8);
 --c-one:var(--cw-kernel,#9c4f00);--c-text:var(--cw-text,inherit);color:var(--c-text);
 font-variant-numeric:tabular-nums;max-width:46rem}
.cw-layers details{border:1px solid var(--c-line);border-radius:8px;margin:.35rem 0;
 padding:0 .75rem;background:var(--cw-surface,transparent)}
.cw-layers summary{cursor:pointer;padding:.55rem 0;font-weight:600}
.cw-layers summary small{font-weight:400;color:var(--cw-muted,inherit);margin-left:.5rem}
.cw-layers table{width:100%;border-collapse:collapse;margin:0 0 .75rem;font-size:.92rem;
 background:none;border:0}
.cw-layers caption{caption-side:top;text-align:left;color:var(--cw-muted,inherit);padding:0 0 .3rem}
.cw-layers tr,.cw-layers thead{background:none!important;border:0}
.cw-layers th,.cw-layers td{text-align:left;padding:.22rem .6rem .22rem 0;border:0;
 color:inherit;background:none;vertical-align:middle!important}
.cw-layers td{white-space:nowrap}
.cw-layers thead th{font-weight:400;color:var(--cw-muted,inherit);vertical-align:bottom!important;
 line-height:1.2}
.cw-layers tbody th{font-weight:600}
.cw-layers td:nth-child(2){width:52%}
.cw-layers .cw-ratio{display:inline-block;width:3.6rem}
.cw-layers .cw-bar{display:inline-block;width:calc(100% - 3.8rem);height:.8rem;
 vertical-align:middle;position:relative;border-radius:2px;
 background:var(--cw-panel,rgba(128,128,128,.15))}
.cw-layers .cw-bar::after{content:"";position:absolute;left:25%;top:-.25rem;bottom:-.25rem;
 border-left:2px solid var(--c-one)}
.cw-layers .cw-fill{display:block;height:100%;background:var(--c-bar);border-radius:2px}
.cw-layers .cw-more{border-right:5px double var(--cw-surface,#fff)}
@media(max-width:30rem){.cw-layers details{padding:0 .5rem}
 .cw-layers .cw-ratio{display:block}.cw-layers .cw-bar{display:block;width:100%}
 .cw-layers th,.cw-layers td{padding-right:.4rem}.cw-layers table{font-size:.85rem}
 .cw-layers td:nth-child(2){width:34%}}
</style>"""


def layers(found: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Layers:
    """Show what a benchmark found, one layer at a time.

    Parameters
    ----------
    found : dict
        What `convlib.benchmark.measure` returned.
    names : dict of str to str, optional
        What to say of a layer beside its sizes, by the text of the layer.

    Returns
    -------
    Layers
        An object that a notebook shows as tables, of which the reader opens one.
    """
    return Layers(found, names)
