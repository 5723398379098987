// The address says what is shown: `#/gallery?state=failed`. The key is never in it.

export const VIEWS = ["create", "gallery", "models", "usage", "operation"];

export function readRoute() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, id = ""] = path.split("/");
  return { view: VIEWS.includes(view) ? view : "create", id: decodeURIComponent(id), query: new URLSearchParams(query) };
}

export function routeTo(view, { id = "", query = {} } = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${parameters ? `?${parameters}` : ""}`;
}

export function go(view, options) {
  location.hash = routeTo(view, options);
}

// Changes the address without showing another view and without an entry in the history.
export function replaceRoute(view, options) {
  history.replaceState(null, "", routeTo(view, options));
}
