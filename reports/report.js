"use strict";
{
  const byId = (id) => document.getElementById(id);
  const checks = [...document.querySelectorAll("details.check")];
  const areas = [...document.querySelectorAll(".area")];
  const form = byId("filter");

  const shown = () => checks.filter((check) => !check.hidden);

  function filter() {
    const outcomes = new Set([...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value));
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const area = byId("area").value;
    for (const check of checks) {
      const text = words.length ? check.textContent.toLowerCase() : "";
      check.hidden = !outcomes.has(check.dataset.outcome)
        || (area !== "" && check.parentElement.id !== area)
        || !words.every((word) => text.includes(word));
    }
    for (const section of areas) {
      section.hidden = !section.querySelector("details.check:not([hidden])");
    }
    byId("count").textContent = `${shown().length} of ${checks.length} checks shown`;
  }

  // A link to a check shows it, whatever is filtered.
  function follow() {
    const check = byId(location.hash.slice(1));
    if (!check || !checks.includes(check)) return;
    if (check.hidden) {
      form.reset();
      filter();
    }
    check.open = true;
    check.scrollIntoView();
    check.querySelector("summary").focus({ preventScroll: true });
  }

  function addCopyButton(place) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(place.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(place.querySelector("code"));
        button.textContent = "Selected";
      }
    });
    place.append(button);
  }

  if (form) {
    for (const part of [byId("script"), byId("count")]) part.hidden = false; // the rest works without
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    byId("open").addEventListener("click", () => shown().forEach((check) => { check.open = true; }));
    byId("close").addEventListener("click", () => checks.forEach((check) => { check.open = false; }));
    document.querySelectorAll(".repeat").forEach(addCopyButton);
    filter();
    addEventListener("hashchange", follow);
    document.addEventListener("click", (event) => { // the same link once more changes no hash
      if (event.target.closest("a")?.hash === location.hash) follow();
    });
    follow();
  }
}
