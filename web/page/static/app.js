// What a page does beside showing: times that count on, live pieces, keys, copying, the theme. Everything works without it but the live part.
const root = document.documentElement;
root.classList.add("scripts");

// ── times ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
// Moments come in the machine's own zone and are left so; those that tell how long ago count on here, in the same words.
const agoWords = root.dataset.ago;
const nowWords = root.dataset.now;
const apart = Date.now() - Number(root.dataset.served || Date.now()); // of this browser's clock from the machine's, and what loading took
const skew = Math.abs(apart) < 5000 ? 0 : apart;

function ago(seconds) {
  if (seconds < 1) return nowWords;
  const [size, unit] = seconds < 120 ? [seconds, "s"] : seconds < 7200 ? [seconds / 60, "min"] : [seconds / 3600, "h"];
  return agoWords.replace("{span}", `${Math.floor(size)} ${unit}`);
}

function tick(within) {
  for (const one of within.querySelectorAll('time[data-as="ago"]')) {
    const seconds = (Date.now() - skew - new Date(one.dateTime)) / 1000;
    if (!(seconds < 86400)) continue; // a day, or no time at all: what stands there is right
    const words = ago(seconds);
    if (one.textContent !== words) one.textContent = words;
  }
}

setInterval(() => { if (!document.hidden) tick(document); }, 1000);
document.addEventListener("visibilitychange", () => tick(document));
document.addEventListener("htmx:load", (event) => tick(event.detail.elt.parentElement || document));
tick(document);

// ── the live stream: one for a page, none while nobody looks (a browser has six connections for a host) ───────────────────
const address = document.body.dataset.liveAddress;
const touch = document.querySelector("[data-touch]");
let stream = null;
let patience = 0;
let tries = 0;

function say(state) {
  if (!touch || touch.dataset.touch === state) return;
  touch.dataset.touch = state;
  touch.textContent = touch.dataset[state];
}

// A place that somebody is using (the focus or the pointer is in it, text is chosen, or it was scrolled out of sight) is not
// pulled from under their hands: rows that are known change in place, new ones wait behind the pill.
const put = {};
const pill = document.querySelector("[data-more]");

function show(place, html) {
  place.innerHTML = html;
  tick(place);
  window.htmx?.process(place);
}

function busy(place) {
  const chosen = getSelection();
  return place.contains(document.activeElement) || place.matches(":hover") || (!chosen.isCollapsed && place.contains(chosen.anchorNode))
    || place.getBoundingClientRect().top < -40;
}

function wait(place, html) {
  const coming = document.createElement("template");
  coming.innerHTML = html;
  let news = 0;
  for (const row of coming.content.querySelectorAll("[data-id]")) {
    const known = place.querySelector(`[data-id="${CSS.escape(row.dataset.id)}"]`);
    if (!known) { news += 1; continue; }
    tick(row);
    if (known.innerHTML !== row.innerHTML && !known.contains(document.activeElement)) known.innerHTML = row.innerHTML;
  }
  if (!pill) return;
  pill.hidden = !news;
  pill.textContent = news === 1 ? pill.dataset.one : pill.dataset.many.replace("{n}", news);
  pill.onclick = () => { pill.hidden = true; show(place, html); };
}

const late = new Set();

function later(place, name) {
  if (late.has(place)) return;
  late.add(place);
  const left = ({ relatedTarget }) => {  // to the next stop within it, or to another window, is not away
    if (place.contains(relatedTarget) || place.contains(document.activeElement)) return;
    place.removeEventListener("focusout", left);
    late.delete(place);
    show(place, put[name]);
  };
  place.addEventListener("focusout", left);
}

function take(name, html) {
  if (put[name] === html) return;
  put[name] = html;
  for (const place of document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)) {
    if ("wait" in place.dataset && place.querySelector("[data-id]") && busy(place)) wait(place, html);
    else if (place.contains(document.activeElement)) later(place, name);
    else { show(place, html); if ("wait" in place.dataset && pill) pill.hidden = true; }
  }
}

function connect() {
  clearTimeout(patience);
  if (!address || stream || document.hidden) return;
  stream = new EventSource(address);
  stream.onopen = () => { tries = 0; say("connected"); };
  stream.onmessage = (event) => {
    const pieces = JSON.parse(event.data);
    for (const name in pieces) take(name, pieces[name]);
    document.body.dispatchEvent(new CustomEvent("live:tick"));
  };
  stream.onerror = () => {
    stream?.close();
    stream = null;
    say("lost");
    patience = setTimeout(connect, Math.min(15000, 500 * 2 ** tries++) * (0.7 + 0.6 * Math.random()));
  };
}

function disconnect() {
  clearTimeout(patience);
  stream?.close();
  stream = null;
}

let leaving = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leaving);
  if (document.hidden) leaving = setTimeout(() => { disconnect(); say("paused"); }, 20000);
  else connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", connect);
addEventListener("online", connect);
connect();

// ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
function rows() { return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null); }

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.classList.contains("here"));
  const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + step))];
  mark(next);
  (next.querySelector("a, button") || next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => { const find = document.querySelector("[data-find]"); find?.focus(); find?.select(); },
  j: () => walk(1),
  k: () => walk(-1),
  "?": () => document.getElementById("keys")?.togglePopover?.(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const writing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    if (writing) writing.blur();
    else document.querySelector("[data-close]")?.click();
  } else if (!writing && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

// ── clicks: a row opens like its link, a value is copied, the theme changes at once ─────────────────────────────────────
document.addEventListener("click", async (event) => {
  const row = event.target.closest("[data-row]");
  if (row && !event.target.closest("a, button, input, label, summary") && !String(getSelection())) row.querySelector("a")?.click();
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    await navigator.clipboard?.writeText(copier.dataset.copy);
    copier.classList.add("is-good");
    setTimeout(() => copier.classList.remove("is-good"), 1500);
  }
  const theme = event.target.closest(".theme button");
  if (theme) {
    event.preventDefault();
    root.dataset.theme = theme.value;
    document.cookie = `hookport-theme=${theme.value}; path=/; max-age=31536000; samesite=strict`;
    for (const one of theme.parentElement.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === theme));
    dispatchEvent(new Event("theme"));
  }
});

// The row whose event stands in the panel is marked, the panel begins at its top, and closing it leads back to the row.
// Where the panel has no room beside the list, a row opens its own page: below the list nobody would find it.
function mark(row) {
  for (const one of document.querySelectorAll("[data-row].here")) one.classList.remove("here");
  row?.classList.add("here");
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (target?.id !== "panel" || !elt.href) return;
  if (matchMedia("(max-width: 999px)").matches && !("close" in elt.dataset)) {
    event.preventDefault();
    location.assign(elt.href);
  } else if (elt.closest("[data-row]")) mark(elt.closest("[data-row]"));
});
document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target?.id !== "panel") return;
  target.scrollTop = 0;
  if (!target.firstElementChild) document.querySelector("[data-row].here a")?.focus({ preventScroll: true });
});
mark(document.querySelector(`[data-row][data-id="${CSS.escape(new URLSearchParams(location.search).get("open") || "")}"]`));
