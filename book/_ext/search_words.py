"""Let the search find what people type: "3x3" for what the pages write as 3 × 3, and some words of many.

Sphinx looks for pages that have every word. search_words.js leaves words out that no page has, and where
no page has all of the others it shows those with most of them. Sphinx takes the script in as a scorer, the
one place between its own search and the index.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.search.en import SearchEnglish

SCRIPT = Path(__file__).with_suffix(".js")
# The same in search_words.js.
SIZES = re.compile(r"(\d+)\s*(?:×|x|by)\s*(?=\d)", re.IGNORECASE)


class Words(SearchEnglish):
    """English, in which a size is a word."""

    def split(self, input: str) -> list[str]:
        words = super().split(input)
        joined = super().split(SIZES.sub(r"\1x", input))
        return words + [word for word in joined if word not in words]


def configure(app, config) -> None:
    config.html_search_scorer = str(SCRIPT)


def setup(app):
    app.add_search_language(Words)
    app.connect("config-inited", configure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
