// Airflow's own pages open in Airflow, not inside the frame that this page is shown in: the frame is sandboxed and may
// neither open a window nor lead its parent away, so the parent's own router is asked.
(() => {
  if (window.parent === window) return;
  document.documentElement.classList.add("framed");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.airflow");
    if (!link) return;
    event.preventDefault();
    const outer = window.parent;
    const address = new URL(link.href);
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      const other = outer.document.createElement("a");
      Object.assign(other, { href: address.href, target: "_blank", rel: "noopener" });
      other.click();
      return;
    }
    outer.history.pushState(null, "", address.pathname + address.search + address.hash);
    outer.dispatchEvent(new outer.PopStateEvent("popstate", { state: null }));
  });
})();
