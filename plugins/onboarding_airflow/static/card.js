// The card on Airflow's home page. Uses Airflow's own React and Chakra, so that it looks like the page around it.
const { createElement: make, useEffect, useState } = globalThis.React;
const { Box, Flex, Heading, Link, Text } = globalThis.ChakraUI;
const base = new URL("..", import.meta.url);
const EVERY_MS = 4000;

const WORDS = {
  th: { title: "โครงการนำร่องขึ้นคลาวด์", of: (goal) => `จาก ${goal} โครงการใช้งานจริง`,
    own: (goal) => `จาก ${goal} โครงการของหน่วยงานท่านใช้งานจริง`, waiting: (n) => `รอคนดำเนินการ ${n} โครงการ`,
    open: "เปิดหน้าภาพรวมโครงการ", sandbox: "แซนด์บ็อกซ์: ไม่ใช่ AWS จริง", fictional: "สมมติ" },
  en: { title: "Pilots to the cloud", of: (goal) => `of ${goal} pilots live`,
    own: (goal) => `of ${goal} of your agency's pilots live`, waiting: (n) => `${n} waiting for a person`,
    open: "Open the programme view", sandbox: "Sandbox: not real AWS", fictional: "fictional" },
};
// What Airflow's own texts are in: i18next keeps it there; <html lang> says it only after somebody changed it.
const language = () => {
  let chosen = null;
  try { chosen = localStorage.getItem("i18nextLng"); } catch { /* then as the page says */ }
  return (chosen || document.documentElement.lang).startsWith("th") ? "th" : "en";
};

function useProgramme() {
  const [told, setTold] = useState(null);
  useEffect(() => {
    let tag = null, timer = null, over = false, asked = null;
    const ask = async () => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          if (asked !== language()) { asked = language(); tag = null; }
          const mine = asked;
          const answer = await fetch(new URL(`programme.json?lang=${mine}`, base), {
            headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
          if (answer.status === 200) {
            const fresh = await answer.json();
            if (!over && mine === asked) { tag = answer.headers.get("ETag"); setTold({ ...fresh, language: mine }); }
          }
        } catch { /* the next round asks again */ }
      }
      if (over) return;
      clearTimeout(timer);
      timer = setTimeout(ask, EVERY_MS);
    };
    ask();
    const spoken = new MutationObserver(() => { if (asked !== language()) ask(); }); // Airflow tells it a moment late
    spoken.observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    return () => { over = true; clearTimeout(timer); spoken.disconnect(); };
  }, []);
  return told;
}

function open(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.href);
  dispatchEvent(new PopStateEvent("popstate", { state: null }));
}

function pips(told) {
  const boxes = Array.from({ length: told.goal }, (_, place) => make(Box, { key: place, w: "4", h: "4", rounded: "sm",
    bg: place < told.counts.live ? "success.solid" : "bg.emphasized" }));
  return make(Flex, { gap: "1.5", wrap: "wrap", "aria-hidden": true }, boxes);
}

function lane(one, words) {
  return make(Box, { as: "li", key: one.id, borderTopWidth: "1px", borderColor: "border.muted", py: "1.5" },
    make(Text, { fontSize: "sm", fontWeight: "medium" }, `${one.id} ${one.name} `,
      one.fictional && make(Text, { as: "span", color: "fg.muted", fontSize: "xs" }, words.fictional)),
    make(Text, { fontSize: "sm", color: "fg.muted" }, [one.state_text, one.move && one.move.text].filter(Boolean).join(" · ")));
}

function Card() {
  const told = useProgramme();
  if (told === null || told.lanes.length === 0) return null;
  const words = WORDS[told.language];
  const worst = told.lanes.filter((one) => !["live", "refused", "not_begun"].includes(one.state)).slice(0, 3);
  return make(Box, { as: "section", "aria-label": words.title, borderWidth: "1px", borderColor: "border.emphasized",
    rounded: "lg", p: "4", lang: told.language, "data-namrong": "card" },
  make(Flex, { gap: "6", wrap: "wrap", align: "start" },
    make(Box, { flex: "1 1 18rem" },
      make(Flex, { align: "center", gap: "3", wrap: "wrap", mb: "2" },
        make(Heading, { size: "md" }, words.title),
        told.sandbox && make(Text, { fontSize: "xs", px: "2", rounded: "full", bg: "warning.subtle", color: "warning.fg" },
          words.sandbox)),
      make(Text, { mb: "2" }, make(Text, { as: "span", fontSize: "3xl", fontWeight: "bold", me: "2" }, told.counts.live),
        (told.scope === "own" ? words.own : words.of)(told.goal)),
      pips(told),
      make(Text, { mt: "2", mb: "2", fontSize: "sm" }, words.waiting(told.waiting_for_people)),
      make(Link, { href: new URL("../plugin/programme", base).href, onClick: open, color: "fg.info", fontSize: "sm" }, words.open)),
    worst.length > 0 && make(Box, { as: "ul", flex: "2 1 24rem", listStyleType: "none" }, worst.map((one) => lane(one, words)))));
}

globalThis.AirflowPlugin = Card;
