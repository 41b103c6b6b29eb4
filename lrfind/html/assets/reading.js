/* Reading the curve at an LR: by pointing at it, or with the slider. */

/** List what can be read at an LR, as pairs of name and text; what is switched off is left out. */
function readingAt(drawing, lr, isShown) {
  const rows = [["lr", lrText(lr)]];
  const valueAt = (part, values) => {
    const i = nearest(part.lr, lr);
    return i === null ? undefined : values[i];
  };
  for (const part of drawing.lines.filter((found) => found.look === "firm" && isShown(found.key))) {
    const loss = valueAt(part, part.told || part.loss);
    if (loss !== undefined) rows.push([part.name, lossText(loss)]);
  }
  const seeds = drawing.points.filter((seed) => isShown(seed.key));
  if (seeds.length === 1 && isShown("points")) {
    const loss = valueAt(seeds[0], seeds[0].loss), i = nearest(seeds[0].lr, lr);
    if (i !== null) rows.push(["measured", lossText(loss)], ["step", String(i * seeds[0].stride)]);
  } else if (seeds.length > 1) {
    const found = drawing.lines.filter((part) => part.look === "thin" && isShown(part.key))
      .map((part) => valueAt(part, part.loss)).filter((loss) => loss !== undefined && loss !== null);
    if (found.length) rows.push([`${found.length} seeds`, `${lossText(d3.min(found))} … ${lossText(d3.max(found))}`]);
  }
  return rows;
}

/** Find the step nearest to an LR; null where it lies beyond both ends by more than a step. */
function nearest(lrs, lr) {
  if (!lrs.length) return null;
  const after = Math.min(d3.bisectLeft(lrs, lr), lrs.length - 1), before = Math.max(after - 1, 0);
  const far = (i) => Math.abs(Math.log(lrs[i] / lr));
  const best = far(before) < far(after) ? before : after;
  const last = lrs.length - 1, edge = best === last ? last - 1 : 1;
  const reach = lrs.length > 1 ? Math.abs(Math.log(lrs[best] / lrs[edge === best ? 0 : edge])) : Infinity;
  return (best === 0 || best === last) && far(best) > 1.01 * Math.max(reach, 1e-9) ? null : best;
}

/** Show a cross and its reading at an LR; `null` takes both away. */
function showReading(drawing, view, lr, isShown, tip) {
  const cross = d3.select("#cross");
  cross.selectAll("*").remove();
  tip.hidden = lr === null;
  if (lr === null) return;
  const x = view.x(lr), rows = readingAt(drawing, lr, isShown);
  if (x < MARGIN.left || x > view.width - MARGIN.right) {
    tip.hidden = true;
    return;
  }
  line(cross, x, MARGIN.top, x, view.floor).attr("class", "cross");
  for (const part of drawing.lines.filter((found) => found.look === "firm" && isShown(found.key))) {
    const i = nearest(part.lr, lr), [low, high] = view.y.domain();
    if (i === null || part.loss[i] === null || part.loss[i] < low || part.loss[i] > high) continue;
    cross.append("circle").attr("class", "cross-dot").attr("r", 4.5)
      .attr("cx", view.x(part.lr[i])).attr("cy", view.y(part.loss[i]));
  }
  d3.select(tip).selectAll("p").remove();
  for (const [name, value] of rows) {
    const row = d3.select(tip).append("p");
    row.append("span").text(name);
    row.append("b").text(value);
  }
  const scale = tip.parentNode.clientWidth / view.width, room = tip.parentNode.clientWidth;
  const beside = x * scale + 14 + tip.offsetWidth < room ? x * scale + 14 : x * scale - 14 - tip.offsetWidth;
  tip.style.transform = `translate(${Math.max(0, Math.min(beside, room - tip.offsetWidth))}px, ${MARGIN.top + 12}px)`;
}

/** Say a reading in one line, for the slider's value. */
function spoken(rows) {
  return rows.map(([name, value]) => `${name} ${value}`).join(" · ");
}
