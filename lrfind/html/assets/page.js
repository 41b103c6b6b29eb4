/* The page: what is switched on, what is looked at, in which colours; and it all drawn anew. */

const RATIO = 0.5, TRIALS_HEIGHT = 190;

function start() {
  for (const radio of document.querySelectorAll("input[name=theme]")) {
    radio.addEventListener("change", () => { document.documentElement.dataset.theme = radio.value; });
  }
  openForPrint();
  const drawing = JSON.parse(document.getElementById("drawing").textContent);
  if (document.getElementById("curve") && drawing.lines.length) startCurve(drawing);
  document.documentElement.dataset.ready = "true";
}

function startCurve(drawing) {
  const svg = d3.select("#curve"), trials = d3.select("#trials"), tip = document.getElementById("tip");
  const slider = document.getElementById("at"), output = document.getElementById("reading");
  const boxes = [...document.querySelectorAll("[data-switch]")];
  const isShown = (key) => boxes.every((box) => box.dataset.switch !== key || box.checked);
  const spine = drawing.lines.reduce((longest, part) => part.lr.length > longest.length ? part.lr : longest, []);
  let view = null, zoomed = d3.zoomIdentity, frozen = null;

  function draw() {
    const width = Math.max(300, Math.round(svg.node().parentNode.clientWidth));
    const height = Math.max(300, Math.round(width < NARROW ? width * 0.85 : width * RATIO));
    const below = drawing.trials.length ? UNNAMED : NAMED;
    view = scalesOf(drawing.frame, width, height, zoomed, Boolean(drawing.range), below);
    view.isRelative = Boolean(drawing.isRelative);
    svg.attr("viewBox", `0 0 ${width} ${height}`);
    drawCurve(svg, drawing, view, isShown);
    if (!trials.empty()) {
      trials.attr("viewBox", `0 0 ${width} ${TRIALS_HEIGHT}`);
      drawTrials(trials, drawing.trials, { ...view, height: TRIALS_HEIGHT, floor: TRIALS_HEIGHT - NAMED });
    }
    hide();
    showReading(drawing, view, frozen, isShown, tip);
  }

  function hide() {
    svg.selectAll("[data-key]").each(function () {
      this.style.display = isShown(this.dataset.key) ? "" : "none";
    });
  }

  function read(lr) {
    const rows = readingAt(drawing, lr, isShown);
    showReading(drawing, view, lr, isShown, tip);
    return spoken(rows);
  }

  slider.max = spine.length - 1;
  const marked = drawing.marks.filter((mark) => mark.kind === "lr" || mark.kind === "run")[0];
  slider.value = marked ? nearest(spine, marked.lr) || 0 : Math.floor(spine.length / 2);
  const tell = (isLive) => {
    const lr = spine[Number(slider.value)], said = spoken(readingAt(drawing, lr, isShown));
    slider.setAttribute("aria-valuetext", said);
    output.textContent = said;
    if (isLive) frozen = lr;
    showReading(drawing, view, frozen, isShown, tip);
  };
  slider.addEventListener("input", () => tell(true));
  slider.addEventListener("focus", () => tell(true));
  slider.addEventListener("blur", () => { frozen = null; showReading(drawing, view, null, isShown, tip); });

  svg.on("pointermove.read", function () {
    const x = d3.clientPoint(this, d3.event)[0];
    const i = nearest(spine, view.x.invert(x));
    if (i === null) return;
    output.textContent = read(spine[i]);
  });
  svg.on("pointerleave.read", () => tell(false));

  for (const box of boxes) {
    box.addEventListener("change", () => { draw(); tell(false); });
  }
  for (const button of document.querySelectorAll("[data-all]")) {
    button.addEventListener("click", () => {
      const all = [...button.parentNode.querySelectorAll("[data-switch]")];
      const isOn = !all.every((box) => box.checked);
      for (const box of all) box.checked = isOn;
      button.setAttribute("aria-pressed", String(isOn));
      draw();
      tell(false);
    });
  }

  startZoom(svg, () => view, (transform) => { zoomed = transform; draw(); });
  new ResizeObserver(() => {
    if (view && Math.round(svg.node().parentNode.clientWidth) !== view.width) draw();
  }).observe(svg.node().parentNode);
  draw();
  tell(false);
}

/** Zoom along the LR: by dragging, with Ctrl and the wheel, and with three buttons. */
function startZoom(svg, viewOf, changed) {
  const zoom = d3.zoom().scaleExtent([1, 64])
    // A bare wheel and a finger scroll the page.
    .filter(() => d3.event.type === "wheel" ? d3.event.ctrlKey : d3.event.type === "mousedown" && !d3.event.button)
    .on("zoom", () => changed(d3.event.transform));
  zoom.extent(() => [[MARGIN.left, 0], [viewOf().width - MARGIN.right, viewOf().height]]);
  zoom.translateExtent([[MARGIN.left, -Infinity], [Infinity, Infinity]]);
  zoom.constrain((transform) => {
    const { width } = viewOf(), left = MARGIN.left, right = width - MARGIN.right;
    const x = Math.min(left * (1 - transform.k), Math.max(right * (1 - transform.k), transform.x));
    return d3.zoomIdentity.translate(x, 0).scale(transform.k);
  });
  svg.call(zoom).on("dblclick.zoom", null).style("touch-action", "pan-y").style("-webkit-tap-highlight-color", null);
  for (const [id, factor] of [["closer", 2], ["wider", 0.5]]) {
    document.getElementById(id).addEventListener("click", () => svg.call(zoom.scaleBy, factor));
  }
  document.getElementById("whole").addEventListener("click", () => svg.call(zoom.transform, d3.zoomIdentity));
}

/** On paper everything is open. */
function openForPrint() {
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const part of closed) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });
}

start();
