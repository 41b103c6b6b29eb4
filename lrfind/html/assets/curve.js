/* The panel of the curve: one function a mark, in the order in which they lie on each other. */

/** Height of a line of text, and width of a panel below which names are short. */
const LINE = 17, NARROW = 560;

function drawCurve(svg, drawing, view, isShown) {
  svg.selectAll("*").remove();
  const back = clipped(svg, view, "panel");
  drawEnd(back, drawing.end, view);
  drawRange(back, drawing.range, view);
  drawAxes(svg, view, view.isRelative ? "loss, each run on its own scale" : "loss", !drawing.trials.length);
  const panel = svg.append("g").attr("clip-path", "url(#panel)");
  drawBand(panel, drawing.band, view);
  const count = d3.sum(drawing.points, (seed) => seed.lr.length);
  for (const seed of drawing.points) drawPoints(panel, seed, view, count);
  for (const part of drawing.lines) drawLine(panel, part, view);
  drawRangeText(svg, drawing.range, view);
  drawRules(svg, drawing.marks.filter((mark) => mark.kind === "rule"), view, isShown);
  drawAnswer(svg, drawing.marks, view);
  svg.append("g").attr("id", "cross");
}

/** Grey out what the sweep did not reach, and say there why it ended. */
function drawEnd(panel, end, view) {
  if (!end) return;
  const { x, width, floor } = view, at = x(end.lr);
  const group = panel.append("g").attr("class", "end");
  group.append("rect").attr("x", at).attr("y", MARGIN.top)
    .attr("width", Math.max(0, width - at)).attr("height", floor - MARGIN.top);
  line(group, at, MARGIN.top, at, floor);
  const middle = (at + width - MARGIN.right) / 2;
  text(group, 0, 0, end.text).attr("transform", `translate(${middle + 4} ${floor - 8}) rotate(-90)`);
}

function drawRange(panel, range, view) {
  if (!range) return;
  const { x, floor } = view;
  const group = panel.append("g").attr("class", "range").attr("data-key", "range");
  group.append("rect").attr("x", x(range.low)).attr("y", MARGIN.top)
    .attr("width", Math.max(1, x(range.high) - x(range.low))).attr("height", floor - MARGIN.top);
  for (const edge of [range.low, range.high]) line(group, x(edge), MARGIN.top, x(edge), floor);
}

function drawRangeText(svg, range, view) {
  if (!range) return;
  const middle = view.x(Math.sqrt(range.low * range.high));
  if (middle < MARGIN.left || middle > view.width - MARGIN.right) return;
  const group = svg.append("g").attr("class", "range").attr("data-key", "range");
  const label = text(group, middle, view.floor - 10, range.text).attr("class", "halo");
  keepBetween(label, MARGIN.left + 4, Math.min(view.width - MARGIN.right, view.x(view.frame.lr[1])) - 4);
}

function drawBand(panel, band, view) {
  if (!band) return;
  const area = d3.area().x((_, i) => view.x(band.lr[i]))
    .y0((_, i) => view.y(band.low[i])).y1((_, i) => view.y(band.high[i]));
  panel.append("path").attr("class", "band").attr("data-key", "band").attr("d", area(band.lr));
}

/** Draw each measured loss faintly, in one path; what lies beyond the frame as arrows at its edge. */
function drawPoints(panel, seed, view, count) {
  const { x, y } = view, [low, high] = view.frame.loss, dots = [], arrows = [];
  const top = MARGIN.top + 3, floor = y(low);
  let lastUp = -Infinity, lastDown = -Infinity;
  seed.lr.forEach((lr, i) => {
    const loss = seed.loss[i], at = x(lr);
    if (loss === null) return;
    if (loss > high && at - lastUp > 7) {
      arrows.push(`M${at.toFixed(1)} ${top}l4 7h-8z`);
      lastUp = at;
    } else if (loss < low && at - lastDown > 7) {
      arrows.push(`M${at.toFixed(1)} ${floor}l4 -7h-8z`);
      lastDown = at;
    } else if (loss >= low && loss <= high) {
      dots.push(`M${at.toFixed(1)} ${y(loss).toFixed(1)}h0`);
    }
  });
  const group = panel.append("g").attr("data-key", "points").append("g").attr("data-key", seed.key);
  group.append("path").attr("class", "point").attr("d", dots.join(""))
    .attr("opacity", Math.min(0.45, Math.max(0.12, 120 / Math.max(count, 1))));
  group.append("path").attr("class", "beyond-point").attr("d", arrows.join(""));
}

function drawLine(panel, part, view) {
  const path = d3.line().defined((_, i) => part.loss[i] !== null)
    .x((_, i) => view.x(part.lr[i])).y((_, i) => view.y(clamped(part.loss[i], view)));
  panel.append("path").attr("class", `${part.look} stroke-${part.colour}`)
    .attr("data-key", part.key).attr("stroke-dasharray", part.dash || null).attr("d", path(part.lr));
}

/** Keep a loss within what a browser can draw: far above the frame all are alike. */
function clamped(loss, view) {
  const [low, high] = view.frame.loss, far = 50 * (high - low);
  return Math.max(low - far, Math.min(high + far, loss));
}

/** Find where a mark stands: on the line, or at the edge of the frame where that has left it. */
function placeOf(mark, view) {
  const [low, high] = view.frame.loss;
  const loss = mark.loss === null ? high : Math.max(low, Math.min(high, mark.loss));
  return [view.x(mark.lr), view.y(loss)];
}

function isSeen(mark, view) {
  const at = view.x(mark.lr);
  return at >= MARGIN.left - 1 && at <= view.width - MARGIN.right + 1;
}

/** Mark the answer and what stands beside it, each led up to its value over the frame. */
function drawAnswer(svg, marks, view) {
  const led = marks.filter((mark) => mark.kind === "lr" || mark.kind === "second")
    .filter((mark) => isSeen(mark, view)).sort((a, b) => a.lr - b.lr);
  const labels = led.map((mark, i) => {
    const [x, y] = placeOf(mark, view), isLeft = i === 0;
    const group = svg.append("g").attr("data-key", mark.key);
    line(group, x, y, x, MARGIN.top - 4).attr("class", `answer-line ${mark.kind}`);
    const label = text(group, x + (isLeft ? -4 : 4), MARGIN.top - 10, mark.label)
      .attr("class", `answer-text ${mark.kind}`).attr("text-anchor", isLeft ? "end" : "start");
    keepBetween(label, 2, view.width - 2);
    return label;
  });
  separate(labels, view.width);
  const shapes = { lr: [d3.symbolCircle, 120], second: [d3.symbolDiamond, 70], seed: [d3.symbolCircle, 34], run: [d3.symbolCircle, 100] };
  const order = ["seed", "run", "second", "lr"];
  for (const kind of order) {
    for (const mark of marks.filter((found) => found.kind === kind && isSeen(found, view))) {
      const [x, y] = placeOf(mark, view), [shape, size] = shapes[kind];
      svg.append("g").attr("data-key", "answer").append("path").attr("data-key", mark.key)
        .attr("class", `answer-mark ${kind}${mark.colour ? ` fill-${mark.colour}` : ""}`).attr("transform", `translate(${x} ${y})`)
        .attr("d", d3.symbol().type(shape).size(size)()).append("title").text(mark.label);
    }
  }
}

/** Push two labels apart where they overlap: the one that has room gives way. */
function separate(labels, width) {
  if (labels.length < 2) return;
  const [left, right] = labels.map((label) => label.node().getBBox());
  const overlap = left.x + left.width + 8 - right.x;
  if (overlap <= 0) return;
  if (right.x + right.width + overlap < width - 2) {
    labels[1].attr("x", Number(labels[1].attr("x")) + overlap);
  } else {
    labels[0].attr("x", Number(labels[0].attr("x")) - overlap);
  }
}

/** Mark what other rules answer: a dotted line, a shape of its own, its name along the line. */
function drawRules(svg, marks, view, isShown) {
  const shapes = [d3.symbolTriangle, d3.symbolSquare, d3.symbolCross, d3.symbolStar, d3.symbolWye];
  const shaped = marks.map((mark, i) => ({ ...mark, shape: shapes[i % shapes.length] }))
    .filter((mark) => isShown(mark.key) && isSeen(mark, view)).sort((a, b) => a.lr - b.lr);
  let lastX = -Infinity, lowest = 0;
  for (const mark of shaped) {
    const [x, y] = placeOf(mark, view), floor = view.floor;
    const group = svg.append("g").attr("data-key", mark.key);
    line(group, x, MARGIN.top, x, floor).attr("class", "rule-line");
    group.append("path").attr("class", "rule-mark").attr("transform", `translate(${x} ${y})`)
      .attr("d", d3.symbol().type(mark.shape).size(62)());
    // Where there is little room the switch alone tells the number.
    const name = view.width < NARROW ? mark.label.split(" ")[0] : mark.label;
    const label = text(group, 0, 0, name).attr("class", "halo").attr("text-anchor", "end");
    // Beside a name that stands close, below it.
    const top = x - lastX < LINE ? lowest + 8 : MARGIN.top + 6, length = label.node().getComputedTextLength();
    const start = top + length < floor ? top : MARGIN.top + 6;
    label.attr("transform", `translate(${x - 4} ${start}) rotate(-90)`);
    [lastX, lowest] = [x, start + length];
  }
}
