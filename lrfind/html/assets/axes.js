/* Scales and axes: a log LR axis with decades and minor ticks, as in curve.png. */

const MARGIN = { top: 34, right: 16, left: 62 };

/** Room under a panel: for the LR axis with its name, or for its ticks alone. */
const NAMED = 44, UNNAMED = 12;

/** Share of the panel kept free: under the curves for the range's label, right for the end's. */
const BOTTOM_LANE = 0.13, TOP_LANE = 0.04, RIGHT_LANE = 0.045, LEFT_LANE = 0.02;

/** Write an LR as Python does, with a digit more than elsewhere: steps stand close. */
function lrText(lr) {
  const [digits, power] = lr.toExponential(2).split("e");
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** Write a loss with four digits and a true minus sign. */
function lossText(loss) {
  if (loss === null || loss === undefined) return "not finite";
  return d3.format(".4~g")(loss).replace("-", "−");
}

/** Join limits and a width into scales; `zoom` is the transform of what is looked at. */
function scalesOf(frame, width, height, zoom, hasRange, below) {
  const [left, right] = frame.lr, [low, high] = frame.loss, span = right / left;
  const whole = d3.scaleLog()
    .domain([left / span ** LEFT_LANE, right * span ** RIGHT_LANE])
    .range([MARGIN.left, width - MARGIN.right]);
  const lane = hasRange ? BOTTOM_LANE : TOP_LANE;
  const y = d3.scaleLinear()
    .domain([low - lane * (high - low), high + TOP_LANE * (high - low)])
    .range([height - below, MARGIN.top]);
  return { x: zoom.rescaleX(whole), y, width, height, frame, floor: height - below };
}

/** Choose LR ticks: decades while there are several, else what lies between them too. */
function lrTicks(x) {
  const [low, high] = x.domain();
  const powers = d3.range(Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9) + 1);
  const every = Math.max(1, Math.ceil(powers.length * 46 / (x.range()[1] - x.range()[0])));
  const minor = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)))
    .reduce((all, power) => all.concat(d3.range(2, 10).map((digit) => Number(`${digit}e${power}`))), [])
    .filter((tick) => tick >= low && tick <= high);
  const major = powers.filter((_, i) => i % every === 0).map((power) => Number(`1e${power}`));
  if (powers.length < 2) major.push(...minor.filter((tick) => high / low < 4 || /^[25]/.test(tick.toExponential())));
  return { major, minor: powers.length > 14 ? [] : minor };
}

/** Draw grid, both axes and their names. */
function drawAxes(svg, view, yName, hasLrNames) {
  const { x, y, width, height, floor } = view;
  const { major, minor } = lrTicks(x);
  const short = (tick) => tick.toExponential(0).replace("e+", "e");
  const lossTicks = y.ticks(Math.max(3, Math.round((floor - MARGIN.top) / 70)));
  const grid = svg.append("g").attr("class", "grid");
  for (const tick of major) line(grid, x(tick), MARGIN.top, x(tick), floor);
  for (const tick of lossTicks) line(grid, MARGIN.left, y(tick), width - MARGIN.right, y(tick));
  const across = svg.append("g").attr("class", "axis");
  line(across, MARGIN.left, floor, width - MARGIN.right, floor);
  for (const tick of minor) line(across, x(tick), floor, x(tick), floor + 3);
  for (const tick of major) {
    line(across, x(tick), floor, x(tick), floor + 6);
    if (hasLrNames) text(across, x(tick), floor + 19, short(tick)).attr("text-anchor", "middle");
  }
  const up = svg.append("g").attr("class", "axis");
  line(up, MARGIN.left, MARGIN.top, MARGIN.left, floor);
  const format = y.tickFormat(lossTicks.length);
  for (const tick of view.isRelative ? [] : lossTicks) {
    line(up, MARGIN.left - 5, y(tick), MARGIN.left, y(tick));
    text(up, MARGIN.left - 9, y(tick) + 4, format(tick).replace("-", "−")).attr("text-anchor", "end");
  }
  if (hasLrNames) {
    text(svg, (MARGIN.left + width - MARGIN.right) / 2, height - 6, "learning rate")
      .attr("class", "title").attr("text-anchor", "middle");
  }
  text(svg, 0, 0, yName).attr("class", "title").attr("text-anchor", "middle")
    .attr("transform", `translate(13 ${(MARGIN.top + floor) / 2}) rotate(-90)`);
}

/** Keep what follows inside the panel. */
function clipped(svg, view, id) {
  svg.append("clipPath").attr("id", id).append("rect")
    .attr("x", MARGIN.left).attr("y", MARGIN.top)
    .attr("width", Math.max(0, view.width - MARGIN.left - MARGIN.right))
    .attr("height", Math.max(0, view.floor - MARGIN.top));
  return svg.append("g").attr("clip-path", `url(#${id})`);
}

function line(parent, x1, y1, x2, y2) {
  return parent.append("line").attr("x1", x1).attr("y1", y1).attr("x2", x2).attr("y2", y2);
}

function text(parent, x, y, words) {
  return parent.append("text").attr("x", x).attr("y", y).text(words);
}

/** Shift a text sideways until it stands between two edges. */
function keepBetween(label, left, right) {
  const box = label.node().getBBox();
  const shift = Math.max(left - box.x, 0) || Math.min(right - box.x - box.width, 0);
  if (shift) label.attr("x", Number(label.attr("x")) + shift);
}
