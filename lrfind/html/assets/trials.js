/* The panel of the trials: where each ended, against the LR it was given. */

/** A single loss further above the best than this many times the next one leaves the panel. */
const STRAY = 3;

function drawTrials(svg, trials, view) {
  svg.selectAll("*").remove();
  const finite = trials.map((trial) => trial.loss).filter((loss) => loss !== null).sort(d3.ascending);
  const [low, high] = trialLimits(finite);
  const y = d3.scaleLinear().domain([low - 0.4 * (high - low), high + 0.3 * (high - low)])
    .range([view.floor, MARGIN.top]);
  const panel = { ...view, y };
  drawAxes(svg, panel, "final loss", true);
  const steps = `${trials.length} trial${trials.length > 1 ? "s" : ""}`;
  text(svg, MARGIN.left, MARGIN.top - 8, steps);
  const marks = clipped(svg, panel, "trial-panel");
  const inside = trials.filter((trial) => trial.loss !== null && trial.loss <= high);
  const path = d3.line().x((trial) => view.x(trial.lr)).y((trial) => y(trial.loss));
  marks.append("path").attr("class", "trial-line").attr("d", path(inside));
  const best = trials.filter((trial) => !trial.diverged && trial.loss === finite[0])[0];
  for (const trial of trials) drawTrial(marks, trial, panel, high, trial === best);
}

/** Mark one: a circle; a cross where it diverged, an arrowhead where it lies far off. */
function drawTrial(marks, trial, view, high, isBest) {
  const isOff = trial.loss === null || trial.loss > high;
  const x = view.x(trial.lr), y = view.y(isOff ? high : trial.loss);
  const shape = isOff ? (trial.diverged ? d3.symbolCross : d3.symbolTriangle) : d3.symbolCircle;
  const turn = isOff && trial.diverged ? " rotate(45)" : "";
  const tone = isBest ? " best" : "";
  marks.append("path").attr("class", `trial${tone}`).attr("transform", `translate(${x} ${y})${turn}`)
    .attr("d", d3.symbol().type(shape).size(isBest ? 95 : 58)());
  text(marks, x, y + (isBest ? 20 : -10), trial.text.replace("-", "−"))
    .attr("class", `trial-text halo${tone}`);
}

/** Span the finite losses, without one that would squash the others. */
function trialLimits(finite) {
  if (!finite.length) return [0, 1];
  const low = finite[0];
  let high = finite[finite.length - 1];
  if (finite.length > 2 && high - low > STRAY * (finite[finite.length - 2] - low) && finite[finite.length - 2] > low) {
    high = finite[finite.length - 2];
  }
  if (!(high - low > 1e-9 * Math.max(Math.abs(high), Math.abs(low)))) {
    const margin = 0.05 * Math.abs(high) || 1;
    return [low - margin, high + margin];
  }
  return [low, high];
}
