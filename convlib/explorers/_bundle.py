"""Join the explorers' ES modules: one string for anywidget, one classic script for the static book.

The modules keep to three forms, each on a line of its own, so that lines are all there is to parse:
``import { a, b } from "./lib/x.js";``, ``export const|function|async function name`` and
``export default …``. Each module becomes a function's body; an import becomes a destructuring.
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def _name(path: Path) -> str:
    return "cw_" + path.relative_to(STATIC).with_suffix("").as_posix().replace("/", "_")


def _linked(path: Path, done: dict[Path, str]) -> None:
    """Add the module at `path`, after everything it imports, to `done` as a constant."""
    lines, exports = [], []
    for line in path.read_text("utf8").splitlines():
        if line.startswith("import "):
            names, source = line.removeprefix("import ").split(" from ")
            needed = (path.parent / source.strip('";')).resolve()
            if needed not in done:
                _linked(needed, done)
            line = f"const {names} = {_name(needed)};"
        elif line.startswith("export default "):
            line = "const fallback = " + line.removeprefix("export default ")
            exports.append("default: fallback")
        elif line.startswith("export "):
            line = line.removeprefix("export ")
            words = line.replace("(", " ").replace("=", " ").split()
            exports.append(words[2] if words[0] == "async" else words[1])
        lines.append(line)
    body = "\n".join(lines)
    done[path] = (
        f"const {_name(path)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();"
    )


def names() -> list[str]:
    """The explorers that have a module, in alphabetical order."""
    return sorted(path.stem for path in STATIC.glob("*.js") if path.stem != "host")


def module(name: str) -> str:
    """One explorer and what it imports, as one ES module for anywidget."""
    done: dict[Path, str] = {}
    entry = (STATIC / f"{name}.js").resolve()
    _linked(entry, done)
    return "\n".join([*done.values(), f"export default {_name(entry)}.default;\n"])


def script() -> str:
    """Every explorer, each shared module once, and the host that mounts them, as a classic script."""
    done: dict[Path, str] = {}
    for name in names():
        _linked((STATIC / f"{name}.js").resolve(), done)
    table = ", ".join(f"{name}: {_name(STATIC / f'{name}.js')}.default" for name in names())
    host = (STATIC / "host.js").read_text("utf8")
    parts = ["(() => {", '"use strict";', *done.values(), f"const modules = {{ {table} }};", host]
    return "\n".join([*parts, "})();\n"])


def style() -> str:
    """The colours and the explorers' stylesheet."""
    return "".join((STATIC / file).read_text("utf8") for file in ("tokens.css", "explorers.css"))
