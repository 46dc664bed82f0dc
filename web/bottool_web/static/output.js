// The output of a task: streamed, in blocks that the browser may leave unpainted, following the end until one scrolls up.
(() => {
  const view = document.getElementById("output");
  if (!view) return;
  const BLOCK_LINES = 500;
  const BLOCK_LETTERS = 256 * 1024;
  const PIECE_LETTERS = 16 * 1024; // a longer line is shown in pieces, or each addition would lay out all of it anew
  const MOST_LETTERS = 16 * 1024 * 1024; // more than a person scrolls through; what comes first goes first
  const NAMES = { 1: "stdout", 2: "stderr", 3: "note" };
  // Colours and cursor moves are left out; what remains is text.
  const CONTROL = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]/g;
  const jump = document.getElementById("output-end");
  const empty = document.getElementById("output-empty");
  let follow = true;
  let block = null;
  let lines = 0;
  let shownLetters = 0;
  const blocks = []; // each with its element and its letters
  let open = null; // the line that has no end yet

  const atEnd = () => view.scrollHeight - view.scrollTop - view.clientHeight < 40;
  view.addEventListener("scroll", () => { follow = atEnd(); jump.hidden = follow; });
  jump.addEventListener("click", () => { follow = true; view.scrollTop = view.scrollHeight; });

  const newLine = (stream) => {
    if (!block || lines >= BLOCK_LINES || block.letters >= BLOCK_LETTERS) {
      block = { element: document.createElement("div"), letters: 0 };
      block.element.className = "output-block";
      view.append(block.element);
      blocks.push(block);
      lines = 0;
    }
    const line = document.createElement("div");
    line.className = "output-line " + NAMES[stream];
    block.element.append(line);
    lines += 1;
    return line;
  };
  const show = (end) => {
    // A carriage return starts the line anew, as a terminal does: progress bars stay one line.
    const kept = open.raw.replace(/\r+$/, "");
    const from = kept.lastIndexOf("\r") + 1;
    open.line.textContent = kept.slice(from).replace(CONTROL, "") + end;
    if (from > 1) open.raw = open.raw.slice(from - 1);
  };
  const addPart = (stream, part) => {
    let from = 0;
    do {
      if (open && open.raw.length >= PIECE_LETTERS) { show(""); open = null; }
      if (!open || open.stream !== stream) open = { stream, raw: "", line: newLine(stream) };
      const piece = part.slice(from, from + PIECE_LETTERS - open.raw.length);
      open.raw += piece;
      from += piece.length;
      block.letters += piece.length;
      shownLetters += piece.length;
      show("\n");
    } while (from < part.length);
  };
  const add = (stream, text) => {
    const parts = text.split("\n");
    parts.forEach((part, index) => {
      addPart(stream, part);
      if (index < parts.length - 1) open = null;
    });
    if (open && open.raw === "") { open.line.remove(); lines -= 1; open = null; }
  };
  const dropFirst = () => {
    while (shownLetters > MOST_LETTERS && blocks.length > 1) {
      const first = blocks.shift();
      first.element.remove();
      shownLetters -= first.letters;
      if (empty) { empty.textContent = view.dataset.gone; empty.hidden = false; }
    }
  };

  let source = new EventSource("/live/tasks/" + view.dataset.task + "/output?after=0");
  source.addEventListener("frames", (event) => {
    if (empty && !blocks.length) empty.hidden = true;
    for (const text of event.data.split("\n")) {
      if (!text) continue;
      const frame = JSON.parse(text);
      add(frame.stream, frame.text);
    }
    dropFirst();
    if (follow) view.scrollTop = view.scrollHeight;
  });
  source.addEventListener("ended", () => { source.close(); source = null; view.dataset.ended = "yes"; });
  window.addEventListener("pagehide", () => { if (source) source.close(); });
})();
