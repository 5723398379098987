// Justified rows: pictures of different shapes in lines of one width, without cropping. Pure arithmetic.

const GAP = 8;
const LAST_ROW_AT_MOST = 1.3;
const NARROWEST = 0.4;
const WIDEST = 3.5;

// Places items with a `ratio` into rows of `width` pixels and about `height` pixels each.
// Returns rows of {top, height, first, widths}; the last one is not stretched.
export function layOutRows(items, width, height, rows = []) {
  const kept = rows.slice(0, -1);
  let first = kept.length ? kept.at(-1).first + kept.at(-1).widths.length : 0;
  let top = kept.length ? kept.at(-1).top + kept.at(-1).height + GAP : 0;
  let sum = 0;
  for (let at = first; at < items.length; at += 1) {
    sum += shownRatio(items[at]);
    const free = width - GAP * (at - first);
    const last = at === items.length - 1;
    if (free / sum > height && !last) continue;
    const rowHeight = Math.round(last ? Math.min(free / sum, height * LAST_ROW_AT_MOST) : free / sum);
    kept.push({ top, height: rowHeight, first, widths: widthsOf(items.slice(first, at + 1), rowHeight, free, last) });
    top += rowHeight + GAP;
    first = at + 1;
    sum = 0;
  }
  return kept;
}

function widthsOf(items, height, free, last) {
  const widths = items.map((item) => Math.floor(shownRatio(item) * height));
  const rest = free - widths.reduce((sum, width) => sum + width, 0);
  if (!last || Math.abs(rest) < items.length) widths[widths.length - 1] += rest;
  return widths;
}

export function shownRatio({ ratio }) {
  return Math.min(WIDEST, Math.max(NARROWEST, ratio));
}

export function leftOf(row, at) {
  return row.widths.slice(0, at).reduce((sum, width) => sum + width + GAP, 0);
}

export function heightOfRows(rows) {
  return rows.length ? rows.at(-1).top + rows.at(-1).height : 0;
}

// The rows that overlap the pixels from `start` to `end`: their first and last number.
export function visibleRows(rows, start, end) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height < start) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last + 1 < rows.length && rows[last + 1].top <= end) last += 1;
  return [low, Math.min(last, rows.length - 1)];
}
