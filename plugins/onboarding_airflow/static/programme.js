// Keeps the page current: asks every few seconds whether anything changed (an ETag, so mostly nothing is sent), and
// puts in place what did. What the reader opened stays open, the focus stays where it was.
(() => {
  const EVERY_MS = 3000;
  const root = document.documentElement;
  const units = JSON.parse(root.dataset.units);
  const news = document.getElementById("news");
  const lost = document.getElementById("lost");
  let tag = null;
  let timer = null;

  const spoken = (seconds) => {
    const amounts = { days: Math.floor(seconds / 86400), hours: Math.floor(seconds / 3600) % 24,
      minutes: Math.floor(seconds / 60) % 60, seconds: seconds % 60 };
    const names = Object.keys(amounts);
    const first = Math.max(0, names.findIndex((name) => amounts[name] > 0));
    const told = (amounts[names[first]] > 0 ? names.slice(first, first + 2).filter((name) => amounts[name] > 0)
      : ["seconds"]);
    return told.map((name) => units[name].replace("{n}", amounts[name])).join(" ");
  };

  let skew = 0; // the server's clock against ours, in milliseconds
  const tick = () => {
    for (const shown of document.querySelectorAll(".elapsed[data-since]")) {
      const seconds = Math.max(0, Math.round((Date.now() + skew - Date.parse(shown.dataset.since)) / 1000));
      const words = spoken(seconds);
      if (shown.textContent !== words) shown.textContent = words;
    }
  };

  const parts = (where) => new Map([...where.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));

  const keepState = (before, after) => {
    for (const open of before.querySelectorAll("details[data-keep][open]")) {
      const same = after.querySelector(`details[data-keep="${CSS.escape(open.dataset.keep)}"]`);
      if (same) same.open = true;
    }
  };

  const stripped = (part) => {
    const copy = part.cloneNode(true);
    for (const open of copy.querySelectorAll("details[open]")) open.removeAttribute("open");
    for (const shown of copy.querySelectorAll(".elapsed")) shown.textContent = "";
    return copy.outerHTML;
  };

  const focusPath = () => {
    const here = document.activeElement;
    const part = here && here.closest("[data-part]");
    if (!part) return null;
    const able = [...part.querySelectorAll("a, summary")];
    return { part: part.dataset.part, href: here.getAttribute("href"), place: able.indexOf(here) };
  };

  const refocus = (was) => {
    if (!was || document.activeElement !== document.body) return;
    const part = document.querySelector(`[data-part="${CSS.escape(was.part)}"]`);
    if (!part) return;
    const able = [...part.querySelectorAll("a, summary")];
    const same = able.find((one) => was.href && one.getAttribute("href") === was.href) || able[was.place];
    if (same) same.focus({ preventScroll: true });
  };

  const announce = (changes) => {
    if (changes.length === 0) return;
    news.textContent = changes.length <= 3 ? changes.join(". ") : news.dataset.many.replace("{n}", changes.length);
  };

  const put = (fresh) => {
    const now = parts(document), next = parts(fresh);
    const lists = [document.querySelector(".lanes"), fresh.querySelector(".lanes")];
    // Another shape of page (the first pilot came, the last one left): take it whole.
    if (!lists[0] !== !lists[1] || [...next.keys()].some((name) => !name.startsWith("lane-") && !now.has(name))) {
      location.reload();
      return;
    }
    const was = focusPath(), changes = [];
    for (const [name, part] of next) {
      const old = now.get(name);
      if (old && stripped(old) === stripped(part)) continue;
      if (part.dataset.news && (!old || old.dataset.news !== part.dataset.news)) changes.push(part.dataset.news);
      const mine = document.importNode(part, true);
      if (old) { keepState(old, mine); old.replaceWith(mine); } else lists[0].append(mine);
    }
    for (const [name, old] of now) if (!next.has(name) && name.startsWith("lane-")) old.remove();
    if (lists[1]) arrange(lists[0], [...lists[1].children].map((lane) => lane.id));
    refocus(was);
    announce(changes);
    tick();
  };

  // Moves as little as can be: a lane that is moved loses the focus and its place on the screen.
  const arrange = (list, ids) => ids.forEach((id, place) => {
    const lane = document.getElementById(id);
    if (list.children[place] !== lane) list.insertBefore(lane, list.children[place]);
  });

  const ask = async () => {
    try {
      const answer = await fetch(location.pathname + `?lang=${root.lang}`, {
        headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store", credentials: "same-origin",
      });
      if (answer.status === 401 || answer.redirected) { location.reload(); return; }
      if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
      skew = Date.parse(answer.headers.get("Date")) - Date.now() || 0;
      if (Math.abs(skew) < 2000) skew = 0;
      lost.hidden = true;
      if (answer.status === 304) return;
      tag = answer.headers.get("ETag");
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      lost.hidden = false;
    }
  };

  const round = async () => {
    clearTimeout(timer);
    if (!document.hidden) {
      await ask();
      timer = setTimeout(round, EVERY_MS);
    }
  };

  document.addEventListener("visibilitychange", round);
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  timer = setTimeout(round, EVERY_MS);
})();
