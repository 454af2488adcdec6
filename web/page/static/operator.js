// How long a pairing code still lives.
for (const one of document.querySelectorAll("[data-until]")) {
  const ends = new Date(one.dataset.until);
  const tick = () => {
    const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
    one.textContent = left ? one.dataset.left.replace("{left}", `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`) : one.dataset.over;
    one.classList.toggle("is-over", !left);
    if (!left) clearInterval(ticking);
  };
  const ticking = setInterval(tick, 1000);
  tick();
}
