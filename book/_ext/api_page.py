"""The API's two pages, written from the library itself: its public names, then each module in order.

The first has the library, the second what the book is made with: one page was too long for a phone.

Modules are listed when they exist, so a new one appears on the page with the next build. What is listed
with its files alone gets a line for each, read from its text: many of `algorithms` need Numba.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
from pathlib import Path

PAGE, TOOLS = "book/api", "book/api-tools"
PLACEHOLDER = "<!-- the modules of convlib, written by book/_ext/api_page.py -->"

# Module, and what its heading says; in the order in which data flows and chapters come.
HOUSE = [
    ("convolution", "Convolution"),
    ("geometry", "Geometry"),
    ("receptive", "Receptive fields"),
    ("padding", "Padding"),
    ("windows", "Windows"),
    ("folding", "Unfold and fold"),
    ("contraction", "Contraction"),
    ("grad", "Gradients"),
    ("transposed", "Transposed convolution"),
    ("pooling", "Pooling"),
    ("algorithms", "Algorithms"),
    ("settings", "What settings may be"),
    ("checks", "What fits together"),
    ("arrays", "Arrays and their libraries"),
    ("validation", "Validation against PyTorch"),
]
# Packages and modules of which each file is a line, with a link to all of its text.
BY_FILES = ("grad", "pooling", "algorithms", "settings", "checks")
# Of these there is nothing else to show: the functions are the library's own.
ONLY_FILES = ("settings", "checks")
# The same as HOUSE for the second page.
WORKSHOP = [
    ("stand_in", "A stand-in for CuPy"),
    ("gpu", "Experiments on a GPU"),
    ("explorers", "Explorers"),
    ("exercises", "Exercises"),
    ("figures", "Figures"),
    ("samples", "Sample data"),
    ("benchmark", "Benchmark"),
]


def exists(name: str) -> bool:
    return importlib.util.find_spec(f"convlib.{name}") is not None


def public_modules(house: list[tuple[str, str]]) -> list[str]:
    """Modules of the house that are there and have a docstring, and the parts of packages."""
    found = []
    for name, _ in house:
        if not exists(name):
            continue
        module = importlib.import_module(f"convlib.{name}")
        if not module.__doc__:
            continue
        found.append(name)
        # A package that lists its own public names shows them itself; else its modules do.
        if hasattr(module, "__path__") and not getattr(module, "__all__", None):
            found += [
                f"{name}.{part.name}"
                for part in pkgutil.iter_modules(module.__path__)
                if not part.name.startswith("_")
            ]
    return found


def home(name: str) -> tuple[str, str]:
    """The role and the name under which a page describes a public name of `convlib`."""
    import convlib

    thing = getattr(convlib, name)
    if inspect.ismodule(thing):
        return "mod", thing.__name__
    role = "class" if inspect.isclass(thing) else "func" if callable(thing) else "data"
    listed = {f"convlib.{module}" for module in (*public_modules(HOUSE), *public_modules(WORKSHOP))}
    # a package that lists its own public names describes them, not the module that makes them
    place = getattr(thing, "__module__", "convlib") if callable(thing) else "convlib"
    while "." in place and place not in listed:
        place = place.rpartition(".")[0]
    return role, f"{place}.{name}"


def summary(name: str) -> str:
    import convlib

    text = inspect.getdoc(getattr(convlib, name)) or ""
    return text.strip().split("\n\n")[0].replace("\n", " ")


def files_of(name: str) -> dict[str, Path]:
    """The modules that a package is made of, or the module itself, and where they lie."""
    origin = Path(importlib.util.find_spec(f"convlib.{name}").origin)
    if origin.stem != "__init__":
        return {f"convlib.{name}": origin}
    parts = [path for path in sorted(origin.parent.glob("*.py")) if path.stem != "__init__"]
    return {f"convlib.{name}.{path.stem}": path for path in parts}


def all_files() -> dict[str, Path]:
    return {
        module: path for name in BY_FILES if exists(name) for module, path in files_of(name).items()
    }


def files(name: str) -> list[str]:
    """A line for each file: a link to its text, and the first sentence of its docstring."""
    found = files_of(name)
    lines = ["", "The files:"] if len(found) > 1 else []
    lines += ["", ":::{div} names-at-the-top", ""]
    for module, path in found.items():
        words = ast.get_docstring(ast.parse(path.read_text("utf8"))).split("\n\n")[0]
        link = f"../_modules/{module.replace('.', '/')}.html"
        code = f'<code class="docutils literal">{path.name}</code>'
        lines += [f'<a class="reference internal" href="{link}">{code}</a>']
        lines += [": " + words.replace("\n", " "), ""]
    return [*lines, ":::"]


def names_at_the_top() -> list[str]:
    """The public names of `convlib`, each with a sentence and a link."""
    import convlib

    names = [name for name in convlib.__all__ if not name.startswith("_")]
    lines = ["## Names at the top", "", ":::{div} names-at-the-top", ""]
    for name in names:
        role, full = home(name)
        # a link that leads nowhere stops the build: no public name goes without a description
        link = f"{{py:{role}}}`{name} <{full}>`"
        lines += [link, f": {summary(name)}", ""]
    return [*lines, ":::"]


def contents(page: str) -> str:
    """The page's text below its introduction, in MyST Markdown."""
    lines, house = (names_at_the_top(), HOUSE) if page == PAGE else ([], WORKSHOP)
    titles = dict(house)
    for name in public_modules(house):
        title = titles.get(name)
        heading = f"## {title}: `{name}`" if title else f"### `{name}`"
        lines += [
            "",
            f"(api-{name.replace('.', '-').replace('_', '-')})=",
            heading,
        ]
        if name not in ONLY_FILES:
            lines += [
                "",
                "```{eval-rst}",
                f".. automodule:: convlib.{name}",
                "   :members:",
                "   :show-inheritance:",
                "```",
            ]
        if name in BY_FILES:
            lines += files(name)
    return "\n".join(lines) + "\n"


def write(app, docname: str, source: list[str]) -> None:
    if docname in (PAGE, TOOLS):
        source[0] = source[0].replace(PLACEHOLDER, contents(docname))


def depend(app, doctree) -> None:
    if app.env.docname in (PAGE, TOOLS):
        for path in Path(importlib.util.find_spec("convlib").origin).parent.rglob("*.py"):
            app.env.note_dependency(str(path))


def show_whole(app) -> list:
    """Let viewcode write a page with the text of each file that is listed, as of those with members."""
    known = app.env.__dict__.setdefault("_viewcode_modules", {})
    for module, path in all_files().items():
        if not known.get(module):
            known[module] = path.read_text("utf8"), {}, {}, module
    return []


def setup(app):
    app.connect("source-read", write)
    app.connect("html-collect-pages", show_whole, priority=400)  # before viewcode's own
    app.connect("doctree-read", depend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
