// What a page does beside showing: local times, live pieces, keys, copying, the theme. Everything works without it but the live part.
const root = document.documentElement;
root.classList.add("scripts");

// ── times ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
const language = navigator.language || "en";
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayAndClock = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const inFull = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) return relative.format(Math.round(seconds), "second");
  if (size < 7200) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 172800) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86400), "day");
}

function localize(within) {
  for (const one of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(one.dateTime);
    const today = moment.toDateString() === new Date().toDateString();
    const as = one.dataset.as;
    one.title = inFull.format(moment);
    one.textContent = as === "ago" ? ago(moment) : as === "full" ? inFull.format(moment) : (today ? clock : dayAndClock).format(moment);
  }
}

setInterval(() => {
  for (const one of document.querySelectorAll('time[data-as="ago"]')) one.textContent = ago(new Date(one.dateTime));
}, 10000);
document.addEventListener("htmx:load", (event) => localize(event.detail.elt.parentElement || document));
localize(document);

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
  localize(place);
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
    localize(row);
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
  place.addEventListener("focusout", () => { late.delete(place); show(place, put[name]); }, { once: true });
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
  all[now]?.classList.remove("here");
  next.classList.add("here");
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

// Where the panel has no room beside the list, a row opens its own page: below the list nobody would find it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (target?.id !== "panel" || !elt.href || !matchMedia("(max-width: 999px)").matches) return;
  event.preventDefault();
  location.assign(elt.href);
});
