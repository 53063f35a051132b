"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)");
const themes = JSON.parse(document.getElementById("themes").textContent);

// The interpreter (ast) draws without eval, which the page's own policy forbids.
function draw() {
  const config = dark.matches ? themes.dark : themes.light;
  const drawn = [...document.querySelectorAll("figure[data-chart]")].map((figure) => {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const options = { actions: false, ast: true, renderer: "svg", config };
    return vegaEmbed(figure.querySelector(".chart"), spec, options);
  });
  Promise.all(drawn).then(() => document.documentElement.classList.add("drawn"));
}

draw();
dark.addEventListener("change", draw);
