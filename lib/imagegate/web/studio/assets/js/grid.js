// A tall surface of which only the rows in sight exist as elements.

import { h, icon } from "./dom.js";
import { heightOfRows, layOutRows, leftOf, visibleRows } from "./rows.js";
import { pictureImage } from "./pictures.js";
import { t } from "./i18n.js";

const ROW_HEIGHT = 232;
const ROW_HEIGHT_SMALL = 148;
const MARGIN_SCREENS = 1;
const MORE_WITHIN_SCREENS = 2;
const MOVES = { ArrowLeft: -1, ArrowRight: 1, k: -1, j: 1 };

// `more` is called near the end, `open` with the item whose tile was chosen.
export function createGrid({ more, open }) {
  const surface = h("div", { class: "surface", role: "list", "aria-label": t("gallery"), on: { keydown: onKey } });
  const shown = new Map();
  let items = [];
  let rows = [];
  let width = 0;
  let frame = 0;

  function setItems(next) {
    items = next;
    if (!width) return; // not part of the page yet: the observer tells when it is
    rows = layOutRows(items, width, rowHeight(), rows);
    forget(rows.length - 2);
    paint();
  }

  function rowHeight() {
    return width < 640 ? ROW_HEIGHT_SMALL : ROW_HEIGHT;
  }

  function forget(from) {
    for (const [number, element] of shown) {
      if (number >= from) {
        element.remove();
        shown.delete(number);
      }
    }
  }

  function paint() {
    frame = 0;
    surface.style.height = `${heightOfRows(rows)}px`;
    const top = -surface.getBoundingClientRect().top;
    const screen = innerHeight;
    const [first, last] = visibleRows(rows, top - MARGIN_SCREENS * screen, top + (1 + MARGIN_SCREENS) * screen);
    for (const [number, element] of shown) {
      if (number < first || number > last) {
        element.remove();
        shown.delete(number);
      }
    }
    for (let number = first; number <= last; number += 1) if (!shown.has(number)) addRow(number);
    if (heightOfRows(rows) - top < (1 + MORE_WITHIN_SCREENS) * screen) more();
  }

  function addRow(number) {
    const row = rows[number];
    const tiles = row.widths.map((wide, at) => tile(items[row.first + at], row.first + at, { left: leftOf(row, at), wide, high: row.height }));
    const element = h("div", { class: "gallery-row", role: "presentation", style: { transform: `translateY(${row.top}px)` } }, tiles);
    shown.set(number, element);
    const after = [...shown.keys()].filter((other) => other > number).sort((one, other) => one - other)[0];
    surface.insertBefore(element, after === undefined ? null : shown.get(after));
  }

  function tile(item, at, { left, wide, high }) {
    const label = `${item.prompt ?? t("privatePrompt")} · ${t(`state_${item.state}`)}`;
    const content = item.url ? pictureImage(item, "", false) : [h("i", { class: `dot ${item.state}` }), h("span", { class: "tile-text" }, item.prompt ?? t("privatePrompt")), h("span", { class: "meta" }, t(`state_${item.state}`))];
    const target = h("button", { type: "button", class: `gallery-tile${item.url ? "" : " without"}`, "aria-label": item.url ? label : null, title: item.prompt ?? "", data: { at }, on: { click: () => open(item) } }, content, item.state === "failed" && item.url && icon("close"));
    return h("div", { role: "listitem", class: "gallery-cell", style: { left: `${left}px`, width: `${wide}px`, height: `${high}px` } }, target);
  }

  function onKey(event) {
    const at = Number(event.target.dataset?.at);
    if (Number.isNaN(at)) return;
    const row = rows.findIndex((each) => at < each.first + each.widths.length);
    const vertical = { ArrowUp: row - 1, ArrowDown: row + 1 }[event.key];
    const next = vertical === undefined ? at + (MOVES[event.key] ?? 0) : rows[vertical] && nearestIn(rows[vertical], leftOf(rows[row], at - rows[row].first));
    if (next === at || next === undefined || !items[next]) return;
    event.preventDefault();
    focusAt(next);
  }

  function nearestIn(row, left) {
    const starts = row.widths.map((_, at) => Math.abs(leftOf(row, at) - left));
    return row.first + starts.indexOf(Math.min(...starts));
  }

  function focusAt(at) {
    const row = rows.find((each) => at < each.first + each.widths.length);
    const box = surface.getBoundingClientRect();
    const [above, below] = [box.top + row.top - 72, box.top + row.top + row.height - innerHeight + 16];
    if (above < 0) scrollBy(0, above);
    else if (below > 0) scrollBy(0, below);
    paint();
    surface.querySelector(`[data-at="${at}"]`)?.focus({ preventScroll: true });
  }

  const schedule = () => { frame ||= requestAnimationFrame(paint); };
  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width) return;
    width = contentRect.width;
    rows = layOutRows(items, width, rowHeight());
    forget(0);
    schedule();
  });
  observer.observe(surface);
  addEventListener("scroll", schedule, { passive: true });
  const dispose = () => {
    observer.disconnect();
    removeEventListener("scroll", schedule);
    cancelAnimationFrame(frame);
  };
  const focus = (item) => {
    const at = items.findIndex((each) => each.id === item.id && each.slot === item.slot);
    if (at >= 0) focusAt(at);
  };
  return { element: surface, setItems, dispose, focus };
}
