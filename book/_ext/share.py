"""How the book is found and shared: descriptions, link previews, a map of the site, a page for the lost.

The address is html_baseurl, which `make address URL=…` writes. sphinxext-opengraph makes the tags for
previews; this module gives it the words of book/descriptions.yml and the one picture.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import yaml

SOURCE = "descriptions.yml"
LIMIT = 160
PICTURE = "_static/preview.png"
PICTURE_WORDS = (
    "An input of five by five numbers, a kernel of three by three, and the output: "
    "one window is marked, and the number that comes of it."
)
ICONS = (
    '<link rel="icon" type="image/png" sizes="32x32" href="{root}_static/icon-32.png" />',
    '<link rel="apple-touch-icon" href="{root}_static/icon-180.png" />',
)
# Pages that nobody looks for by a search engine.
UNLISTED = re.compile(r"(?:_modules/|genindex|py-modindex|search|404|_static/|slides/|index\.html)")


def descriptions(source: Path) -> dict[str, str]:
    """The sentence for each page, by the page's name in _toc.yml."""
    return yaml.safe_load((source / "book" / SOURCE).read_text("utf8"))


def configure(app, config) -> None:
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = config.html_title
    config.ogp_image = PICTURE
    config.ogp_image_alt = PICTURE_WORDS
    config.ogp_custom_meta_tags = [
        '<meta property="og:image:width" content="1200" />',
        '<meta property="og:image:height" content="630" />',
        '<meta name="twitter:card" content="summary_large_image" />',
    ]
    app.share_words = descriptions(Path(app.srcdir))


def describe(app, pagename, templatename, context, doctree) -> None:
    """Before sphinxext-opengraph: the page's own words, and the icons."""
    root = "../" * pagename.count("/")
    tags = "".join(icon.format(root=root) + "\n" for icon in ICONS)
    words = app.share_words.get(pagename)
    if words:
        tags += f'<meta name="description" content="{escape(words)}" />\n'
        context["meta"] = {**(context.get("meta") or {}), "og:description": escape(words)}
    elif doctree is None:
        title = re.sub(r"<[^>]+>", "", context.get("title") or "")
        words = f"{title}: {app.config.html_title}."
        tags += f'<meta name="description" content="{escape(words)}" />\n'
    context["metatags"] = tags + context.get("metatags", "")


def write_map(app, out: Path) -> None:
    """sitemap.xml and robots.txt. robots.txt counts at the root of a host; elsewhere it does no harm."""
    base = app.config.html_baseurl
    names = sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*.html")
        if not UNLISTED.match(path.relative_to(out).as_posix())
    )
    lines = [f"<url><loc>{escape(urljoin(base, name))}</loc></url>" for name in names]
    (out / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(lines)
        + "\n</urlset>\n",
        "utf8",
    )
    (out / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\n\nSitemap: {urljoin(base, 'sitemap.xml')}\n", "utf8"
    )


def write_404(app, out: Path) -> None:
    """A page that needs no other file, because it is shown at any depth of the site."""
    tokens = (Path(app.srcdir) / "convlib" / "explorers" / "static" / "tokens.css").read_text(
        "utf8"
    )
    chapters = [
        (name, title.astext())
        for name, title in sorted(app.env.titles.items())
        if name.startswith("notebooks/")
    ]
    context = {
        "title": app.config.html_title,
        "base": urlsplit(app.config.html_baseurl).path or "/",
        "tokens": re.sub(r"/\*.*?\*/", "", tokens, flags=re.S),
        "icon": (out / "_static" / "logo.svg").read_text("utf8"),
        "chapters": chapters,
        "home": app.config.master_doc,
    }
    text = app.builder.templates.render("404.html", context)
    (out / "404.html").write_text(text, "utf8")


def write(app, error) -> None:
    if error is None and app.builder.name == "html":
        out = Path(app.outdir)
        write_map(app, out)
        write_404(app, out)


def rebuilt(app, env, added, changed, removed) -> list[str]:
    """A changed sentence is a reason to write the pages again."""
    path = Path(app.srcdir) / "book" / SOURCE
    time = path.stat().st_mtime_ns
    before, env.share_time = getattr(env, "share_time", time), time
    return [] if before == time else sorted(env.all_docs)


def setup(app):
    app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", configure)
    app.connect("env-get-outdated", rebuilt)
    app.connect("html-page-context", describe, priority=300)
    app.connect("build-finished", write, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
