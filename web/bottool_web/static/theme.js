// Sets light or dark before the first paint: the choice kept in this browser, else what the system says.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let choice = "auto";
    try { choice = localStorage.getItem("bottool-theme") || "auto"; } catch { /* storage may be off */ }
    const shown = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", shown);
  };
  apply();
  dark.addEventListener("change", apply);
  window.bottoolTheme = (choice) => {
    try { localStorage.setItem("bottool-theme", choice); } catch { /* storage may be off */ }
    apply();
  };
})();
