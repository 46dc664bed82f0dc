// The form of a schedule: shows what the chosen kind needs, and guesses the zone of a new one. Works without, too.
(() => {
  const form = document.getElementById("schedule-form");
  if (!form) return;
  const kind = form.elements.namedItem("kind");
  const show = () => {
    for (const part of form.querySelectorAll("[data-for]")) {
      part.hidden = !part.dataset.for.split(" ").includes(kind.value);
    }
  };
  kind.addEventListener("change", show);
  show();
  const zone = form.querySelector("[data-guess]");
  const guess = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && guess && [...form.querySelectorAll("#zones option")].some((option) => option.value === guess)) {
    zone.value = guess;
    // The preview listens; it may have been asked for already.
    zone.dispatchEvent(new Event("change", { bubbles: true }));
  }
})();
