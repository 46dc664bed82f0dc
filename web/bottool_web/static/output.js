// The output of a task: streamed, in blocks that the browser may leave unpainted, following the end until one scrolls up.
(() => {
  const view = document.getElementById("output");
  if (!view) return;
  const BLOCK_LINES = 500;
  const NAMES = { 1: "stdout", 2: "stderr", 3: "note" };
  // Colours and cursor moves are left out; what remains is text.
  const CONTROL = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]/g;
  const jump = document.getElementById("output-end");
  const empty = document.getElementById("output-empty");
  let follow = true;
  let block = null;
  let lines = 0;
  let open = null; // the line that has no end yet

  const atEnd = () => view.scrollHeight - view.scrollTop - view.clientHeight < 40;
  view.addEventListener("scroll", () => { follow = atEnd(); jump.hidden = follow; });
  jump.addEventListener("click", () => { follow = true; view.scrollTop = view.scrollHeight; });

  const newLine = (stream) => {
    if (!block || lines >= BLOCK_LINES) {
      block = document.createElement("div");
      block.className = "output-block";
      view.append(block);
      lines = 0;
    }
    const line = document.createElement("div");
    line.className = "output-line " + NAMES[stream];
    block.append(line);
    lines += 1;
    return line;
  };
  const add = (stream, text) => {
    const parts = text.split("\n");
    parts.forEach((part, index) => {
      if (!open || open.stream !== stream) open = { stream, raw: "", line: newLine(stream) };
      open.raw += part;
      // A carriage return starts the line anew, as a terminal does: progress bars stay one line.
      const shown = open.raw.replace(/\r+$/, "").split("\r").pop().replace(CONTROL, "");
      open.line.textContent = shown + "\n";
      if (index < parts.length - 1) open = null;
    });
    if (open && open.raw === "") { open.line.remove(); lines -= 1; open = null; }
  };

  let source = new EventSource("/live/tasks/" + view.dataset.task + "/output?after=0");
  source.addEventListener("frames", (event) => {
    if (empty) empty.hidden = true;
    for (const text of event.data.split("\n")) {
      if (!text) continue;
      const frame = JSON.parse(text);
      add(frame.stream, frame.text);
    }
    if (follow) view.scrollTop = view.scrollHeight;
  });
  source.addEventListener("ended", () => { source.close(); source = null; view.dataset.ended = "yes"; });
  window.addEventListener("pagehide", () => { if (source) source.close(); });
})();
