"use strict";
(() => {
  const form = document.getElementById("search");
  const words = document.getElementById("words");
  const shown = document.getElementById("shown");
  const chips = [...form.querySelectorAll("input[type=checkbox]")];
  const items = [...document.querySelectorAll(".finding, .row, .start")].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    severity: element.dataset.severity,
  }));
  const findings = items.filter((item) => item.severity).length;
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(chips.filter((chip) => chip.checked).map((chip) => chip.value));
    let count = 0;
    for (const { element, text, severity } of items) {
      const fits = wanted.every((word) => text.includes(word)) && (!severity || severities.has(severity));
      element.hidden = !fits;
      if (fits && severity) count += 1;
    }
    const all = wanted.length === 0 && severities.size === chips.length;
    shown.textContent = all ? "" : `${count} of ${findings} findings`;
  };
  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== words) {
      event.preventDefault();
      words.focus();
    }
  });
  addEventListener("hashchange", open);
  form.hidden = false;
  open();
})();
