"""The runner's window as Tk shows it, and nothing else: what to show comes in on standard input, clicks go out.

Run as a script by any Python that has Tk, which need not be the one that runs bottool: it uses the standard library
alone. Both ways are lines of JSON. In: ``{"machine": …, "mode": …, …}``, see ``window_model``. Out:
``{"do": "start" | "stop" | "pause" | "resume"}``. It ends when its input does; status 3 says that there is no display.
"""

import contextlib
import json
import queue
import sys
import threading
import tkinter as tk
from tkinter import font, ttk
from typing import Any

NO_DISPLAY = 3
_TURN_MILLISECONDS = 100
_NARROW = 620
_INK, _SOFT, _PAPER, _PANEL, _LINE = "#1f2937", "#6b7280", "#f3f4f6", "#ffffff", "#d1d5db"
_GREEN, _RED, _AMBER, _GREY = "#15803d", "#b91c1c", "#b45309", "#6b7280"
_SHADES = {"working": _GREEN, "paused": _AMBER, "draining": _AMBER, "ended": _GREY}
_WORDS = {"working": "Working", "paused": "Paused", "draining": "Ending after its task", "ended": "Not running"}


class View:
    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._shown: dict[str, Any] = {}
        self._is_narrow: bool | None = None
        _dress(root)
        root.title("bottool runner")
        root.minsize(360, 440)
        root.geometry("860x620")
        root.columnconfigure(0, weight=1)
        root.rowconfigure(2, weight=1)
        self._head()
        self._notice = ttk.Label(root, style="Notice.TLabel", wraplength=800, padding=(16, 6))
        self._body()
        root.bind("<Configure>", self._fit)

    # What there is.

    def _head(self) -> None:
        head = ttk.Frame(self._root, style="Panel.TFrame", padding=(16, 12))
        head.grid(row=0, column=0, sticky="ew")
        head.columnconfigure(1, weight=1)
        self._dot = tk.Canvas(head, width=16, height=16, background=_PANEL, highlightthickness=0)
        self._dot.grid(row=0, column=0, padx=(0, 10))
        self._machine = ttk.Label(head, style="Machine.TLabel")
        self._machine.grid(row=0, column=1, sticky="w")
        self._mode = ttk.Label(head, style="Mode.TLabel")
        self._mode.grid(row=1, column=1, sticky="w")
        self._connection = ttk.Label(head, style="Soft.TLabel", wraplength=460)
        self._connection.grid(row=2, column=1, sticky="w")
        self._buttons = ttk.Frame(head, style="Panel.TFrame")
        self._start = self._button(0, "START", "Start.TButton", lambda: self._say("start"))
        self._stop = self._button(1, "STOP", "Stop.TButton", lambda: self._say("stop"))
        self._pause = self._button(2, "Pause", "TButton", lambda: self._say(self._pause_word()))

    def _button(self, column: int, text: str, style: str, act: Any) -> ttk.Button:
        button = ttk.Button(self._buttons, text=text, style=style, command=act)
        self._buttons.columnconfigure(column, weight=1, uniform="buttons")
        button.bind("<Return>", lambda _: button.invoke())
        button.grid(row=0, column=column, padx=(0 if column == 0 else 8, 0), sticky="ew")
        return button

    def _body(self) -> None:
        body = ttk.Frame(self._root, padding=(16, 12))
        body.grid(row=2, column=0, sticky="nsew")
        body.columnconfigure(0, weight=1)
        body.rowconfigure(1, weight=1)
        self._task = ttk.Label(body, style="Task.TLabel", wraplength=800)
        self._task.grid(row=0, column=0, sticky="w", pady=(0, 6))
        tabs = ttk.Notebook(body)
        tabs.grid(row=1, column=0, sticky="nsew")
        self._lines = Lines(tabs, "Output")
        self._log = Lines(tabs, "Log")
        self._recent = self._table(tabs, "Tasks", ("task", "what", "how", "when"), (70, 190, 250, 100))
        self._settings = self._table(tabs, "Settings", ("setting", "value"), (150, 460))

    def _table(self, tabs: ttk.Notebook, title: str, columns: tuple[str, ...], widths: tuple[int, ...]) -> ttk.Treeview:
        frame = ttk.Frame(tabs)
        table = ttk.Treeview(frame, columns=columns, show="headings", selectmode="browse", height=6)
        for name, width in zip(columns, widths, strict=True):
            table.heading(name, text=name.capitalize(), anchor="w")
            table.column(name, width=width, minwidth=50, stretch=name in {"how", "value"}, anchor="w")
        table.tag_configure("bad", foreground=_RED)
        bar = ttk.Scrollbar(frame, command=table.yview)
        table.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        table.pack(side="left", fill="both", expand=True)
        tabs.add(frame, text=title)
        return table

    # What it shows.

    def show(self, said: dict[str, Any]) -> None:
        before, self._shown = self._shown, said
        mode = said["mode"]
        self._dot.delete("all")
        shade = _SHADES[mode] if mode != "working" or said["connected"] else _AMBER
        self._dot.create_oval(2, 2, 14, 14, fill=shade, outline="")
        self._machine.configure(text=said["machine"] or "not registered yet")
        self._mode.configure(text=_WORDS[mode] + (f": {said['reason']}" if said["reason"] else ""), foreground=shade)
        self._connection.configure(text=said["connection"])
        self._task.configure(text=said["task"])
        self._set_buttons(mode, said)
        self._set_notice(said["notice"])
        for name, text in (("lines", self._lines), ("log", self._log)):
            if said[name] != before.get(name):
                text.fill(said[name])
        if said["recent"] != before.get("recent"):
            _rows(self._recent, [(each[:4], "" if each[4] else "bad") for each in said["recent"]])
        if said["settings"] != before.get("settings"):
            _rows(self._settings, [(each, "") for each in said["settings"]])

    def _set_buttons(self, mode: str, said: dict[str, Any]) -> None:
        runs = mode != "ended"
        _enable(self._start, not runs and not said["starting"])
        _enable(self._stop, runs)
        _enable(self._pause, runs and mode != "draining")
        self._start.configure(text="STARTING…" if said["starting"] and not runs else "START")
        self._stop.configure(text="STOP NOW" if mode == "draining" else "STOP")
        self._pause.configure(text="Resume" if mode == "paused" else "Pause")

    def _set_notice(self, notice: str) -> None:
        if notice:
            self._notice.configure(text=notice)
            self._notice.grid(row=1, column=0, sticky="ew")
        else:
            self._notice.grid_remove()

    def _pause_word(self) -> str:
        return "resume" if self._shown.get("mode") == "paused" else "pause"

    def _fit(self, event: "tk.Event[Any]") -> None:
        """Beside the name there is room for the buttons, or there is not."""
        if event.widget is not self._root:
            return
        for label in (self._notice, self._task):
            label.configure(wraplength=max(200, event.width - 40))
        is_narrow = event.width < _NARROW
        self._connection.configure(wraplength=max(200, event.width - (60 if is_narrow else 400)))
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            if is_narrow:
                self._buttons.grid(row=3, column=0, columnspan=3, rowspan=1, pady=(12, 0), sticky="ew")
            else:
                self._buttons.grid(row=0, column=2, columnspan=1, rowspan=3, pady=0, sticky="e")

    def _say(self, what: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(json.dumps({"do": what}) + "\n")
            sys.stdout.flush()


class Lines:
    """A page of lines that stays at its end, unless somebody has scrolled away from it."""

    def __init__(self, tabs: ttk.Notebook, title: str) -> None:
        frame = ttk.Frame(tabs)
        self._follows = True
        self._bar = ttk.Scrollbar(frame, command=self._scroll)
        self._bar.pack(side="right", fill="y")
        self._text = tk.Text(frame, wrap="word", state="disabled", borderwidth=0, highlightthickness=0, padx=10, pady=8)
        self._text.configure(font="TkFixedFont", background=_PANEL, foreground=_INK, yscrollcommand=self._bar.set)
        self._text.pack(side="left", fill="both", expand=True)
        self._text.bind("<Configure>", lambda _: self._to_end())
        for wheel in ("<MouseWheel>", "<Button-4>", "<Button-5>", "<Key>"):
            self._text.bind(wheel, lambda _: self._text.after_idle(self._note))
        tabs.add(frame, text=title)

    def fill(self, lines: list[str]) -> None:
        place = self._text.yview()[0]
        self._text.configure(state="normal")
        self._text.delete("1.0", "end")
        self._text.insert("end", "\n".join(lines))
        self._text.configure(state="disabled")
        self._text.yview_moveto(place)
        self._to_end()

    def _to_end(self) -> None:
        if self._follows:
            self._text.see("end")

    def _scroll(self, *how: Any) -> None:
        self._text.yview(*how)
        self._note()

    def _note(self) -> None:
        self._follows = self._text.yview()[1] >= 1.0


def _dress(root: tk.Tk) -> None:
    root.configure(background=_PAPER)
    base = font.nametofont("TkDefaultFont")
    base.configure(size=10)
    family = base.actual("family")
    style = ttk.Style(root)
    style.theme_use("clam")
    style.configure(".", background=_PAPER, foreground=_INK, font=(family, 10), bordercolor=_LINE)
    style.configure("Panel.TFrame", background=_PANEL)
    style.configure("Machine.TLabel", background=_PANEL, font=(family, 18, "bold"))
    style.configure("Mode.TLabel", background=_PANEL, font=(family, 11, "bold"))
    style.configure("Soft.TLabel", background=_PANEL, foreground=_SOFT)
    style.configure("Task.TLabel", font=(family, 11, "bold"))
    style.configure("Notice.TLabel", background="#fef3c7", foreground="#7c2d12")
    style.configure("TButton", padding=(8, 8), width=-9, background=_PANEL)
    for name, shade in (("Start.TButton", _GREEN), ("Stop.TButton", _RED)):
        style.configure(name, background=shade, foreground="#ffffff", font=(family, 11, "bold"))
        style.map(name, background=[("disabled", _LINE), ("active", shade)], foreground=[("disabled", _SOFT)])
    style.configure("Treeview", background=_PANEL, fieldbackground=_PANEL, rowheight=26, borderwidth=0)
    style.configure("Treeview.Heading", font=(family, 10, "bold"), background=_PAPER, relief="flat", padding=(4, 4))
    style.configure("TNotebook.Tab", padding=(12, 6))
    style.configure("TScrollbar", background=_LINE, troughcolor=_PAPER, borderwidth=0, arrowcolor=_SOFT)
    style.map("TNotebook.Tab", background=[("selected", _PANEL)], padding=[("selected", (12, 6))])


def _enable(button: ttk.Button, on: bool) -> None:
    button.state(["!disabled" if on else "disabled"])


def _rows(table: ttk.Treeview, rows: list[tuple[list[str], str]]) -> None:
    table.delete(*table.get_children())
    for values, tag in rows:
        table.insert("", "end", values=values, tags=(tag,))


def main() -> int:
    try:
        root = tk.Tk()
    except tk.TclError as error:
        sys.stderr.write(f"{error}\n")
        return NO_DISPLAY
    view = View(root)
    heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(heard,), daemon=True).start()

    def turn() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                said = heard.get_nowait()
                if said is None:
                    root.destroy()
                    return
                view.show(said)
        root.after(_TURN_MILLISECONDS, turn)

    turn()
    root.mainloop()
    return 0


def _listen(heard: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
    for line in sys.stdin:
        heard.put(json.loads(line))
    heard.put(None)


if __name__ == "__main__":
    sys.exit(main())
