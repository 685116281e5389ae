// Sphinx looks for pages with every word. Here a word that no page has is left out, and where no page has all
// of the others, those with most of them come first. A size is one word, as in search_words.py.
Search.query = (query) => {
  const joined = query.replace(/(\d+)\s*(?:×|x|by)\s*(?=\d)/gi, "$1x");
  const [, words, without, marked, objects] = Search._parseQuery(joined);
  const index = [Search._index.terms, Search._index.titleterms];
  const known = (word) => index.some((terms) => Object.hasOwn(terms, word)
    || (word.length > 2 && Object.keys(terms).some((term) => term.includes(word))));
  const there = [...words].filter(known);
  let results = Search._performSearch(query, new Set(there.length ? there : words), without, marked, objects);

  let note = "";
  if (there.length && there.length < words.size) {
    const stemmer = new Stemmer();
    const gone = [...marked].filter((word) => !known(stemmer.stemWord(word)));
    note = `No page has: ${gone.join(", ")}. `;
  }
  if (!results.length && there.length > 1) {
    const pages = new Map();
    for (const word of there)
      for (const found of Search.performTermsSearch(new Set([word]), without)) {
        const page = pages.get(found[0]) ?? [...found.slice(0, 4), 0, found[5]];
        page[4] += 100 + found[4]; // a further word counts more than a place in a title
        pages.set(found[0], page);
      }
    results = [...pages.values()].sort(_orderResultsByScoreThenName);
    note += "No page has all of these words; those with most of them come first.";
  }
  if (note && results.length) {
    const said = document.createElement("p");
    said.className = "search-note";
    said.textContent = note;
    Search.output.before(said);
  }
  const written = (them) => new Set([...them].map((word) => word.replace(/^(\d+)x(?=\d+$)/, "$1 × ")));
  _displayNextItem(results, results.length, written(there), written(marked));
};

// An entry of the glossary is shown with its words: its anchor alone has none.
const textOf = Search.htmlToText;
Search.htmlToText = (html, anchor) => {
  const place = new DOMParser().parseFromString(html, "text/html").getElementById((anchor ?? "").slice(1));
  const entry = place?.closest(".glossary > *");
  if (!entry) return textOf(html, anchor);
  return entry.matches("dt") ? entry.nextElementSibling.textContent : entry.textContent;
};
