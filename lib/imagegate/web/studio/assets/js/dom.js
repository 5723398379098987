// Elements without markup: texts become text nodes, so nothing that is stored can become part of the page.

const SVG = "http://www.w3.org/2000/svg";

// Makes an element. `on` holds listeners, `style` and `data` maps; other properties that the element has are set, the
// rest become attributes. Children may be nested lists; null and false are left out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setProperty(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (name === "class") {
    element.className = value;
  } else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "role") {
    element[name] = value;
  } else {
    element.setAttribute(name, value);
  }
}

export function replaceContent(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

const ICONS = {
  close: "M5 5l10 10M15 5L5 15",
  download: "M10 3v9m-4-4l4 4 4-4M4 16h12",
  lock: "M6 9V7a4 4 0 0 1 8 0v2M5 9h10v7H5z",
  unlock: "M6 9V7a4 4 0 0 1 7.5-2M5 9h10v7H5z",
  dice: "M4 4h12v12H4zM7.5 7.5h.01M12.5 12.5h.01M10 10h.01",
  plus: "M10 4v12M4 10h12",
  copy: "M7 7h9v9H7zM4 13V4h9",
  check: "M4 10.5l4 4 8-9",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  brush: "M4 16c3 0 3-3 5-3m0 0l7-9-9 7m2 2l-2-2",
  again: "M15.5 8A6 6 0 1 0 16 11M16 4v4h-4",
  theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  open: "M8 4H4v12h12v-4M11 4h5v5M16 4l-8 8",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
  trash: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
  layers: "M10 3l7 4-7 4-7-4zM3 11l7 4 7-4",
};

// A decorative icon of 20 units; the control around it has the name.
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function svgElement(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A button with an icon and, for screen readers and as a tooltip, a name.
export function iconButton(name, label, click, more = {}) {
  return h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, on: { click }, ...more }, icon(name));
}

let announcer = null;

// Tells a screen reader, politely.
export function announce(text) {
  if (!announcer) {
    announcer = h("p", { class: "visually-hidden", "aria-live": "polite", role: "status" });
    document.body.append(announcer);
  }
  announcer.textContent = text;
}
