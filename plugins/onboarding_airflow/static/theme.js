// Light or dark as Airflow shows itself: the page is a frame of the same origin, Airflow marks its own <html>.
// Alone in a tab it is what was chosen in Airflow before (next-themes keeps it under "theme"), else the system's.
(() => {
  const root = document.documentElement;
  const outer = window.parent !== window ? window.parent.document.documentElement : null;
  const kept = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => {
    const marks = outer ? [...outer.classList] : [kept()];
    const chosen = ["dark", "light"].find((scheme) => marks.includes(scheme));
    if (chosen) root.dataset.theme = chosen; else delete root.dataset.theme;
  };
  apply();
  if (outer) new MutationObserver(apply).observe(outer, { attributes: true, attributeFilter: ["class"] });
  addEventListener("storage", apply);
})();
