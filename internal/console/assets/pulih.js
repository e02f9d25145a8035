// What the pages do beyond forms and links: news without reload, keys, tabs on narrow windows. Everything works without this file.
"use strict";

// News: when the agency's mark changes, the parts of the page that only show something are fetched again. What a person types in is left alone.
(function () {
  const body = document.body;
  if (!body.dataset.mark) return;
  let mark = body.dataset.mark, since = Date.now(), failures = 0;

  async function refresh() {
    const answer = await fetch(location.href, { headers: { "X-Pulih": "kabar" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) continue;
      const at = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      const drafts = [...part.querySelectorAll("textarea")].map((t) => [t.id, t.value]);
      const known = new Set([...part.querySelectorAll("tr th a")].map((a) => a.getAttribute("href")));
      part.innerHTML = next.innerHTML;
      for (const [id, value] of drafts) if (value && document.getElementById(id)) document.getElementById(id).value = value;
      if (known.size) for (const a of part.querySelectorAll("tr th a")) if (!known.has(a.getAttribute("href"))) a.closest("tr").classList.add("fresh");
      if (at) part.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
    }
    const acts = document.getElementById("tindakan"), next = fresh.getElementById("tindakan");
    if (acts && next && !untouched(acts)) offer(acts, next);
    else if (acts && next && shape(acts) !== shape(next)) acts.innerHTML = next.innerHTML;
  }

  // shape is what the part offers, whatever was typed or opened meanwhile.
  const shape = (part) => [...part.querySelectorAll("summary, input[name=lihat], input[name=cocok], .strip b")].map((e) => e.value || e.textContent).join("|");
  const untouched = (part) => ![...part.querySelectorAll("input:not([type=hidden]), textarea")].some((f) => f.checked !== f.defaultChecked || f.value !== f.defaultValue);
  function offer(acts, next) {
    if (shape(acts) === shape(next) || acts.querySelector(".changed")) return;
    const p = document.createElement("p");
    p.className = "warn changed";
    p.setAttribute("role", "status");
    p.textContent = "Keadaan permohonan ini baru saja berubah. Muat ulang halaman sebelum memutuskan.";
    acts.prepend(p);
  }

  async function look() {
    try {
      if (document.visibilityState === "visible") {
        const answer = await fetch(body.dataset.news, { credentials: "same-origin" });
        if (answer.ok && !answer.redirected) {
          const now = await answer.text();
          if (now !== mark || Date.now() - since > 20000) {
            mark = now;
            since = Date.now();
            await refresh();
          }
        }
      }
      failures = 0;
    } catch {
      failures++;
    }
    setTimeout(look, Math.min(2000 * 2 ** failures, 60000));
  }
  setTimeout(look, 2000);
})();

// The address loses what it told once, so that a reload doesn't tell it again.
if (new URLSearchParams(location.search).has("kabar")) history.replaceState(null, "", location.pathname + location.hash);

// On a phone the navigation scrolls: the page's own entry comes into view.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
for (const chart of document.querySelectorAll(".scroll")) chart.scrollLeft = chart.scrollWidth; // the newest week

// Keys: j and k choose a row, Enter opens it, / searches, u goes up, ? tells.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select") && event.key !== "Escape") return;
  const help = document.getElementById("bantuan");
  if (help?.open) return;
  const rows = [...document.querySelectorAll("[data-rows] tbody tr")];
  const at = rows.findIndex((r) => r.classList.contains("chosen"));
  const choose = (i) => {
    rows[at]?.classList.remove("chosen");
    rows[i].classList.add("chosen");
    rows[i].querySelector("a").focus();
    rows[i].scrollIntoView({ block: "nearest" });
  };
  switch (event.key) {
    case "j": if (rows.length) choose(Math.min(at + 1, rows.length - 1)); break;
    case "k": if (rows.length) choose(Math.max(at - 1, 0)); break;
    case "/": document.getElementById("cari")?.focus(); break;
    case "u": document.querySelector(".crumb a")?.click(); return;
    case "?": help?.showModal(); break;
    case "Escape": event.target.blur?.(); return;
    default: return;
  }
  event.preventDefault();
});

// Tabs: on narrow windows one part of a request at a time; without this the parts stand below each other.
(function () {
  const bar = document.querySelector("[data-tabs]");
  if (!bar) return;
  const narrow = matchMedia("(max-width: 1100px)");
  const tabs = [...bar.querySelectorAll("a")], parts = tabs.map((t) => document.querySelector(t.hash));
  const show = (i) => tabs.forEach((t, n) => {
    t.setAttribute("aria-selected", narrow.matches ? String(n === i) : "false");
    if (parts[n]) parts[n].hidden = narrow.matches && n !== i;
    const steps = document.getElementById("langkah");
    if (steps) steps.hidden = narrow.matches && tabs[i].hash !== "#riwayat";
  });
  const partOf = (hash) => parts.findIndex((p) => p && hash.length > 1 && p.contains(document.getElementById(hash.slice(1))));
  const first = () => Math.max(partOf(location.hash), 0);
  bar.setAttribute("role", "tablist");
  tabs.forEach((t, i) => {
    t.setAttribute("role", "tab");
    t.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", t.hash);
      show(i);
    });
  });
  document.querySelector(".request")?.addEventListener("click", (event) => { // the line that a field was found in may be in another part
    const at = partOf(event.target.closest("a[href^='#']")?.hash ?? "");
    if (at >= 0) show(at);
  });
  narrow.addEventListener("change", () => show(first()));
  show(first());
})();

// A form is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "ya";
  setTimeout(() => delete event.target.dataset.sent, 5000);
});

// Passkeys: the browser asks the person, we carry question and answer (WebAuthn Level 3, section 5.1).
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-kunci]");
  if (!button) return;
  const note = document.getElementById("kunci-gagal");
  const tell = (text) => { note.textContent = text; note.hidden = false; };
  note.hidden = true;
  if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return tell("Peramban ini belum mengenal kunci sandi. Perbarui, atau pakai Chrome, Edge, Firefox, atau Safari terbaru.");
  button.disabled = true;
  try {
    const question = await fetch(button.dataset.dari, { method: "POST", credentials: "same-origin" });
    if (!question.ok) throw new Error(await words(question));
    const options = await question.json();
    const credential = button.dataset.kunci === "simpan"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    const answer = await fetch(button.dataset.ke, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(credential) });
    if (!answer.ok) throw new Error(await words(answer));
    const next = await answer.json();
    location.assign("tetap" in button.dataset ? location.pathname : next.ke);
  } catch (error) {
    tell(error.name === "Error" ? error.message : "Kunci sandi tidak jadi dipakai. Coba lagi bila itu tidak Anda maksud.");
    button.disabled = false;
  }
  async function words(answer) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("main p")?.textContent || "Tidak berhasil. Muat ulang halaman, lalu coba lagi.";
  }
});
