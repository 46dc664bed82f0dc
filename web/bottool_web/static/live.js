// One stream per page. A hint "changed" makes the page's live regions ask for themselves again (htmx does the rest).
// The stream is given up while the tab is hidden, because a browser holds only six connections to a server.
(() => {
  const indicator = document.getElementById("live-state");
  const task = document.body.dataset.task;
  const url = "/live/changes" + (task ? "?task=" + encodeURIComponent(task) : "");
  let source = null;
  let asked = 0;

  const say = (word) => {
    if (!indicator) return;
    indicator.dataset.state = word;
    indicator.textContent = indicator.dataset[word];
  };
  const refresh = () => {
    // A click or a half-filled form is not to be disturbed: forms are never inside a live region.
    const wait = Math.max(0, 400 - (Date.now() - asked));
    asked = Date.now() + wait;
    setTimeout(() => document.body.dispatchEvent(new CustomEvent("changed")), wait);
  };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(url);
    source.addEventListener("open", () => { say("live"); refresh(); });
    source.addEventListener("changed", refresh);
    source.addEventListener("error", () => say(navigator.onLine ? "reconnecting" : "offline"));
  };
  const close = () => { if (source) { source.close(); source = null; say("paused"); } };

  // A hint may be lost, and silence has none: a runner that goes away is seen by looking.
  setInterval(() => { if (!document.hidden) refresh(); }, 20000);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  open();
})();
