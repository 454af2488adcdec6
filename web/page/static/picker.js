// The picker narrows while one types: every word must be found in an entry. Arrows walk, enter takes the first, escape empties.
const picker = document.querySelector("[data-picker]");
const find = picker.querySelector("[data-picker-find]");
const count = picker.querySelector("[data-picker-count]");
const none = picker.querySelector("[data-picker-none]");
const entries = [...picker.querySelectorAll("[data-sought]")];
const groups = [...picker.querySelectorAll("[data-picker-group]")];

function shown() { return entries.filter((one) => !one.hidden).map((one) => one.querySelector("[data-pick]")); }

function narrow() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of entries) one.hidden = !words.every((word) => one.dataset.sought.includes(word));
  for (const group of groups) group.hidden = !group.querySelector("[data-sought]:not([hidden])");
  const left = shown().length;
  none.hidden = left > 0;
  if (!left) entries.find((one) => one.dataset.sought.startsWith("generic"))?.closest("[data-picker-group]").removeAttribute("hidden");
  if (!left) for (const one of entries) one.hidden = !one.dataset.sought.startsWith("generic");
  count.textContent = !words.length ? "" : !left ? count.dataset.none : left === 1 ? count.dataset.one : count.dataset.many.replace("{n}", left);
}

function step(by) {
  const links = shown();
  const at = links.indexOf(document.activeElement);
  if (at + by < 0) find.focus();
  else links[Math.min(links.length - 1, at + by)]?.focus();
}

find.addEventListener("input", narrow);
picker.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const inFind = event.target === find;
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp" && !inFind) step(-1);
  else if (event.key === "Enter" && inFind) shown()[0]?.click();
  else if (event.key === "Escape" && inFind && find.value) { find.value = ""; narrow(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
});
if (matchMedia("(pointer: fine)").matches) find.focus({ preventScroll: true });
narrow(); // what stood there before one came back
