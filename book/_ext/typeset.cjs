// Typesets formulas for book/_ext/typeset.py with MathJax, without a browser. One JSON value a line:
// in comes {tex, display}, out goes the formula's HTML; {style: true} asks for the style sheet.
const [path, fonts] = process.argv.slice(2);
const out = (value) => process.stdout.write(JSON.stringify(value) + "\n");

require(path)
  .init({
    loader: { load: ["input/tex", "output/chtml", "adaptors/liteDOM", "a11y/assistive-mml"] },
    // A name that TeX does not know is an error, not a red word.
    tex: { packages: { "[-]": ["noundefined"] } },
    chtml: { fontURL: fonts, adaptiveCSS: false, matchFontHeight: false },
    startup: { typeset: false },
  })
  .then((MathJax) => {
    const { adaptor } = MathJax.startup;
    require("readline")
      .createInterface({ input: process.stdin })
      .on("line", (line) => {
        const { tex, display, style } = JSON.parse(line);
        if (style) return out(adaptor.textContent(MathJax.chtmlStylesheet()));
        out(adaptor.outerHTML(MathJax.tex2chtml(tex, { display })));
      });
  })
  .catch((error) => {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  });
