"""A report opens in headless Chromium without an error or a request to anywhere, fits into windows 400, 800 and 1600 wide,
and its curves, tables and pictures hold the numbers of the run.

usage: report.py PROGRAM   (the program built from report.cpp; exit status 77 where Chromium is not installed)
"""
import csv
import html.parser
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

# What the page itself cannot say: it points at the middle of each chart, and writes down what it then reads.
PROBE = """<script>
var seen = [];
document.querySelectorAll('figure[data-curves]').forEach(function (figure) {
  var frame = figure.querySelector('.frame').getBoundingClientRect();
  [0, 0.41, 1].forEach(function (part) {
    var at = {clientX: frame.left + part * frame.width, clientY: frame.top + 5, bubbles: true};
    figure.dispatchEvent(new PointerEvent('pointermove', at));
    seen.push([figure.dataset.curves, part, figure.querySelector('output').textContent,
               figure.querySelectorAll('.pointed').length]);
  });
  figure.dispatchEvent(new PointerEvent('pointerleave'));
  seen.push([figure.dataset.curves, -1, figure.querySelector('output').textContent,
             figure.querySelectorAll('.pointed').length]);
});
var images = Array.from(document.images, function (i) { return [i.naturalWidth, i.naturalHeight]; });
addEventListener('load', function () {
  setTimeout(function () {
    var asked = performance.getEntriesByType('resource').map(function (entry) { return entry.name; });
    document.body.dataset.seen = JSON.stringify({points: seen, images: images, asked: asked});
  }, 500);
});
</script>"""
# Each frame is as wide as a window of that size.
FRAMES = """<!doctype html><body><script>
addEventListener('load', function () {
  document.body.dataset.widths = JSON.stringify(Array.from(document.querySelectorAll('iframe'), function (frame) {
    return [frame.clientWidth, frame.contentDocument.documentElement.scrollWidth];
  }));
});
</script>""" + "".join(f"<iframe src='report.html' style='border:0;width:{w}px;height:900px'></iframe>" for w in (400, 800, 1600))


class Page(html.parser.HTMLParser):
    """The attributes of the body, the table of epochs and the cells of the confusion table."""

    def __init__(self, text):
        super().__init__()
        self.body, self.epochs, self.confusion, self.inside, self.cell = {}, [], [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "body":
            self.body = found
        elif tag == "table":
            self.inside = found.get("id") or found.get("class")
        elif tag == "tr" and self.inside == "epochs":
            self.epochs.append([])
        elif tag in ("td", "th"):
            self.cell = found
            if self.inside == "epochs" and "data-v" in found:
                self.epochs[-1].append(found["data-v"])

    def handle_data(self, text):
        if self.cell is None:
            return
        if self.inside == "epochs" and "data-v" not in self.cell:
            self.epochs[-1].append(text)
        if self.inside == "confusion" and self.cell.get("class", "").split(" ")[0] in ("hit", "miss"):
            self.confusion.append(text)
        self.cell = None


def fail(what):
    sys.exit(f"report.py: {what}")


def opened(chromium, folder, page, *options):
    """The page as the browser has it after its scripts, without complaints in between."""
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check",
               "--host-resolver-rules=MAP * ~NOTFOUND",  # what the browser itself asks of the network goes nowhere
               "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
               "--enable-logging=stderr", "--virtual-time-budget=2000", "--window-size=1600,1000", *options,
               "--dump-dom", (folder / page).as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        fail(f"chromium ended with {done.returncode}: {done.stderr}")
    for line in done.stderr.splitlines():
        if "CONSOLE" in line:
            fail(f"the console says: {line}")
    return Page(done.stdout)


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("chromium is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        said = subprocess.run([sys.argv[1], folder / "report.html"], capture_output=True, text=True, check=True).stdout
        *lines, table = said.splitlines()
        history = list(csv.reader(io.StringIO("\n".join(lines))))
        page = (folder / "report.html").read_text()
        (folder / "probed.html").write_text(page.replace("</body>", PROBE + "</body>"))
        (folder / "frames.html").write_text(FRAMES)

        shown = opened(chromium, folder, "probed.html")
        columns = len(history[0])
        if [row[:columns] for row in shown.epochs] != history:
            fail(f"the table holds {shown.epochs}, the history {history}")
        if shown.confusion != table.split(","):
            fail(f"the confusion table holds {shown.confusion}, expected {table}")
        seen = json.loads(shown.body["data-seen"])
        if asked := [address for address in seen["asked"] if not address.startswith("data:")]:
            fail(f"the page asks for {asked}")
        numbers = {name: i for i, name in enumerate(history[0])}
        charts = {curves for curves, *_ in seen["points"]}
        if not {"loss|validation_loss", "binary_accuracy|validation_binary_accuracy"} <= charts:
            fail(f"there are only curves of {charts}")
        for curves, part, words, marks in seen["points"]:
            if part < 0:
                if words or marks:
                    fail(f"the pointer has left {curves}, and '{words}' and {marks} lines are there")
                continue
            epoch = {0: 1, 0.41: 3, 1: 6}[part]
            if marks != 1 or not words.startswith(f"epoch {epoch}: "):
                fail(f"{part} of the way along {curves}: '{words}' and {marks} lines")
            for curve, word in zip(curves.split("|"), words.split(": ", 1)[1].split(", ")):
                if curve not in numbers:
                    continue
                value = float(word.removeprefix("validation "))
                expected = float(history[epoch][numbers[curve]])
                if abs(value - expected) > 1e-5 * abs(expected):
                    fail(f"{curve} in epoch {epoch} is shown as {value}, and was {expected}")
        wrong = int(shown.confusion[1]) + int(shown.confusion[2])
        if not wrong or seen["images"] != [[12, 12]] * min(wrong, 12):
            fail(f"{wrong} rows are wrong, and the pictures are {seen['images']}")

        widths = json.loads(opened(chromium, folder, "frames.html").body["data-widths"])
        if [width for width, _ in widths] != [400, 800, 1600] or any(needed > width for width, needed in widths):
            fail(f"windows and the widths that the page needs in them: {widths}")
        print(f"{len(page)} bytes, {len(seen['points'])} places pointed at, widths {widths}")


main()
