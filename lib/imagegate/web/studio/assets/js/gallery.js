// All operations, endless, in justified rows. Only the rows in sight are part of the page.

import { h, icon, replaceContent } from "./dom.js";
import { read } from "./api.js";
import { formatNumber } from "./format.js";
import { createGrid } from "./grid.js";
import { matchesFilter, parseFilter, withState } from "./filters.js";
import { emptyState, showProblem } from "./problem.js";
import { expectedRatio } from "./progress.js";
import { go, replaceRoute } from "./router.js";
import { openViewer } from "./viewer.js";
import { t } from "./i18n.js";

const PAGE_SIZE = "100";
const STATES = ["", "succeeded", "running", "failed", "cancelled"];
const PAUSE = 300;

export async function showGallery(route, page) {
  const text = route.query.get("q") ?? "";
  const filter = parseFilter(text);
  const status = h("p", { class: "meta gallery-status", role: "status" });
  const notice = h("div", { class: "notice" });
  const grid = createGrid({ more: loadMore, open });
  let items = [];
  let token = "";
  let searched = 0;
  let loading = false;
  let disposed = false;

  async function loadMore() {
    if (loading || token === null || disposed) return;
    loading = true;
    try {
      const parameters = new URLSearchParams({ ...filter.query, page_size: PAGE_SIZE, ...(token && { page_token: token }) });
      const found = await read(`v1/operations?${parameters}`);
      token = found.next_page_token;
      searched += found.operations.length;
      items = items.concat(found.operations.filter((operation) => matchesFilter(operation, filter)).flatMap(slimItems));
      replaceContent(notice);
    } catch (problem) {
      if (problem.status === 401) throw problem;
      replaceContent(notice, showProblem(problem, h("button", { type: "button", on: { click: loadMore } }, t("tryAgain"))));
      token ||= "";
    }
    loading = false;
    if (disposed) return;
    grid.setItems(items);
    showStatus();
  }

  function showStatus() {
    const key = token === null ? "galleryAll" : "gallerySome";
    status.textContent = searched ? t(key, { count: items.length, n: formatNumber(items.length), of: formatNumber(searched) }) : "";
    if (token === null && !items.length) {
      replaceContent(notice, text ? emptyState(t("nothingFound"), t("nothingFoundText")) : emptyState(t("emptyGallery"), t("emptyGalleryText"), h("pre", { tabIndex: 0, "aria-label": t("code") }, h("code", {}, 'imagegate generate "a red fox"'))));
    }
  }

  function open(item) {
    if (item.slot === undefined) return go("operation", { id: item.id });
    const shown = items.filter((each) => each.slot !== undefined);
    return openViewer(shown, item, (entry) => {
      if (disposed || !location.hash.startsWith("#/gallery")) return;
      replaceRoute("gallery", { query: { q: text, picture: entry ? `${entry.id}-${entry.slot}` : "" } });
      if (!entry) grid.focus(item);
    });
  }

  replaceContent(page, h("div", { class: "gallery" }, h("h1", { class: "visually-hidden" }, t("gallery")), filterBar(text), status, notice, grid.element));
  await loadMore();
  const wanted = route.query.get("picture");
  if (wanted) open({ id: wanted.split("-")[0], slot: Number(wanted.split("-")[1]) });
  const dispose = () => { disposed = true; grid.dispose(); };
  return { dispose, focus: () => page.querySelector("#filter").focus() };
}

// What a tile needs, and no more: ten thousand operations in full would be tens of megabytes.
function slimItems(operation) {
  const common = { id: operation.id, prompt: operation.prompt, state: operation.state };
  if (!operation.images.length) return [{ ...common, ratio: expectedRatio(operation) }];
  return operation.images.map(({ slot, width, height, url, preview_url }) => ({ ...common, slot, ratio: width / height, width, height, url, preview_url }));
}

function filterBar(text) {
  let timer = 0;
  const change = (value) => go("gallery", { query: { q: value.trim() } });
  const input = h("input", {
    type: "search", id: "filter", value: text, placeholder: t("filterHint"), "aria-label": t("filter"), spellcheck: false,
    on: {
      input: () => { clearTimeout(timer); timer = setTimeout(() => change(input.value), PAUSE * 2); },
      keydown: (event) => { if (event.key === "Enter") { clearTimeout(timer); change(input.value); } },
    },
  });
  const { state = "" } = parseFilter(text).query;
  const chips = STATES.map((each) =>
    h("button", { type: "button", class: "chip", "aria-pressed": `${each === state}`, on: { click: () => change(withState(input.value, each)) } },
      each && h("i", { class: `dot ${each}` }), t(each ? `state_${each}` : "all")));
  return h("div", { class: "filter-bar" }, h("div", { class: "search" }, icon("search"), input), h("div", { class: "chips", role: "group", "aria-label": t("state") }, chips));
}
