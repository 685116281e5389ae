"""A chapter leaves its page: the button to Colab names this very file, and the download is the file."""

from __future__ import annotations

import hashlib

import pytest
from bs4 import BeautifulSoup

from address import ROOT, address, forms
from notebooks import NOTEBOOKS


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def page(book, path):
    place = (book / path.relative_to(ROOT)).with_suffix(".html")
    return place, BeautifulSoup(place.read_text("utf8"), "html.parser")


def test_the_button_opens_this_notebook_on_colab(path, page):
    links = [tag["href"] for tag in page[1].select("a[href*='colab.research.google.com']")]
    repository = forms(address())[1]
    wanted = f"https://colab.research.google.com{repository}blob/main/{path.relative_to(ROOT)}"
    assert set(links) == {wanted}


def test_the_download_is_the_notebook_itself(path, page):
    """Not a copy that Sphinx changed: what is downloaded is what was run and tested."""
    place, soup = page
    buttons = [tag["href"] for tag in soup.select("a.btn-download-source-button")]
    assert len(buttons) == 1
    downloaded = (place.parent / buttons[0]).resolve()
    same = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (path, downloaded)]
    assert same[0] == same[1]
