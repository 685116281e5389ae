"""What the notebooks have in common: the set-up cell, the normal form, the exceptions."""

from __future__ import annotations

import hashlib
import re

from address import ROOT, address

CHAPTERS = sorted((ROOT / "notebooks").glob("[!.]*.ipynb"))
# Pages of the book that run code are kept the same way.
NOTEBOOKS = CHAPTERS + sorted((ROOT / "book").glob("[!.]*.ipynb"))

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}

# What a cell may say about itself; everything else is the trace of an editor or of a run.
CELL_METADATA = {"tags", "mystnb", "slideshow", "slides", "editable", "nbgrader", "deletable"}

# The only cells whose output may differ from run to run, because they show measured times or a
# device's name. One line a cell: the notebook's name, and the cell's first line of code.
MEASURED: set[tuple[str, str]] = {
    ("02-padding", "def seconds(function, *arguments):"),
    ("07-backward", "size = (8, 16, 32, 32)"),
    ("05-contraction", "def seconds(function, repeat=5):"),
    ("06-groups-and-dilation", "def seconds(function, *arguments):"),
    ("04-windows", "def fastest(function, repeat=7):"),
    ("09-speed", "Layer = benchmark.Layer"),
    ("09-speed", "def race(ways, rounds=7, clock=process_time, rest=0):"),
    ("09-speed", "zeros = np.zeros(long.shape, np.float32)"),
    ("09-speed", "photo = samples.photograph(20, 140, 112, 112) / np.float32(255)"),
    ("09-speed", "def blocked(x, weight, rows, map=map):"),
    ("09-speed", "cores = os.cpu_count() or 1"),
    ("09-speed", "def winograd(x, weight):"),
    ("09-speed", "errors = {}"),
    ("09-speed", "some = x[None, :8].repeat(2, axis=2).repeat(2, axis=3)[:, :, :96, :96]"),
    ("09-speed", "def loops(x, weight, y):"),
    ("09-speed", "for o, r in (24, 1), (8, 3), (1, 24):"),
    ("09-speed", "def wake(pool):"),
    ("09-speed", "def intensity(layer):"),
    ("09-speed", "first = next(iter(names))"),
    ("09-speed", "ratios = {}"),
    ("10-gpu", "print(gpu.summary())"),
    ("10-gpu", '@gpu.experiment("the same call")'),
    ("10-gpu", '@gpu.experiment("launches")'),
    ("10-gpu", '@gpu.experiment("transfers")'),
    ("10-gpu", '@gpu.experiment("memory pool")'),
    ("10-gpu", '@gpu.experiment("events")'),
    ("10-gpu", '@gpu.experiment("TF32")'),
    ("10-gpu", '@gpu.experiment("beside PyTorch")'),
    ("memo", "view = convlib.windows(x, (3, 3))[:, None]  # (n, g, i, h, w, k, l)"),
    ("memo", "optimized = seconds("),
    ("memo", "slow = seconds(lambda: by_add_at(spread), 3)"),
    ("memo", '@gpu.experiment("the memo\'s remark")'),
    ("questions", "def seconds(function, repeat=5):"),
    ("questions", "x = torch.randn(4, 128, 28, 28)"),
}

SETUP_TAG = "remove-cell"
ABSOLUTE_PATH = re.compile(
    r"(?<![\w./~:-])/(?:work|root|home|Users|tmp|opt|var|usr|mnt|private)/[\w.-]+"
    r"|\b[A-Z]:\\\\?Users"
)


def setup_source() -> str:
    """The first code cell of every notebook: take convlib as it is, or install it (as on Colab)."""
    return (
        "try:\n"
        "    import convlib  # noqa: F401\n"
        "except ModuleNotFoundError:\n"
        f'    %pip install -q "convolution-window-by-window[notebooks] @ git+{address()}"'
    )


def first_line(source: str) -> str:
    """The first line of a cell's code that is no comment."""
    lines = (line.strip() for line in source.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def tags(cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


def prose_words(notebook) -> int:
    """Words a reader reads: without formulas, addresses, what is folded away, and quizzes' options."""
    text = "\n".join(
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "markdown" and not tags(cell) & {"hide-cell", "remove-cell"}
    )
    text = re.sub(r'<div class="cw-options".*?</div>', " ", text, flags=re.S)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", " ", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"[^\W\d_][\w'’-]*", text))


def cell_ids(sources: list[str]) -> list[str]:
    """Names for the cells, made from what they hold: the same text has the same name."""
    seen: dict[str, int] = {}
    ids = []
    for source in sources:
        name = hashlib.sha256(source.encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids
