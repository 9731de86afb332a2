"use strict";

// The live page. Without this script everything is there, as of its loading.

const KEPT_EVENTS = 100;
const REFRESH_MS = 4000;
// Of a server's time, a page takes at most the twentieth part: where the figures
// of millions of events take a second, or many people look, they come less often.
const PATIENCE = 20;
const NEWS_MS = 5000;
const RETRY_MS = 5000;

const main = document.getElementById("main");
const list = document.getElementById("events");
const status = document.getElementById("status");
const pause = document.getElementById("pause");
const news = document.getElementById("news");

let seq = main.dataset.seq;
let source = null;
let isPaused = false;
let refreshTimer = 0;
let refreshMs = REFRESH_MS;
let newsTimer = 0;
let unannounced = [];

function show(state, words) {
  status.dataset.state = state;
  status.firstElementChild.textContent = words;
}

function open() {
  if (source || isPaused || document.hidden) return;
  source = new EventSource(`${main.dataset.stream}?after=${seq}`);
  source.onopen = () => show("live", list ? "Live" : "Waiting for the first event");
  source.onmessage = (message) => {
    seq = message.lastEventId;
    // The empty page has no list: it becomes the live page.
    if (list) add(message.data);
    else location.reload();
  };
  source.onerror = () => {
    show("broken", "Reconnecting");
    // A browser gives up for good when the answer is an error, such as 503.
    if (source.readyState !== EventSource.CLOSED) return;
    close();
    setTimeout(retry, RETRY_MS);
  };
}

function close() {
  if (source) source.close();
  source = null;
}

async function retry() {
  await refresh();
  open();
}

function add(html) {
  const lines = document.createElement("template");
  // The server has escaped every value, and the policy of the page runs no
  // script that is not a file of ours.
  lines.innerHTML = html;
  for (const line of lines.content.children) line.classList.add("new");
  unannounced.push(...[...lines.content.querySelectorAll(".event-name")].map((name) => name.textContent));
  list.prepend(lines.content);
  while (list.children.length > KEPT_EVENTS) list.lastElementChild.remove();
  newsTimer ||= setTimeout(announce, NEWS_MS);
  refreshTimer ||= setTimeout(refresh, refreshMs);
}

// One sentence now and then: reading every event aloud would never end.
function announce() {
  newsTimer = 0;
  const kinds = [...new Set(unannounced)].slice(0, 3).join(", ");
  news.textContent = `${unannounced.length} new: ${kinds}`;
  unannounced = [];
}

// Fetches the page again and takes over its figures.
async function refresh() {
  refreshTimer = 0;
  const asked = performance.now();
  let answer;
  try {
    answer = await fetch(location.href);
  } catch {
    return;
  }
  // Signed out elsewhere: the sign-in page is what came.
  if (answer.redirected) location.assign(answer.url);
  if (!answer.ok) return;
  refreshMs = Math.max(REFRESH_MS, PATIENCE * (performance.now() - asked));
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const card of document.querySelectorAll("[data-swap]")) {
    const other = fresh.getElementById(card.id);
    if (other && !isInUse(card)) swap(card, other);
  }
}

function isInUse(card) {
  const selection = getSelection();
  return (
    card.contains(document.activeElement) ||
    (!selection.isCollapsed && card.contains(selection.anchorNode))
  );
}

function swap(card, other) {
  for (const details of card.querySelectorAll("details[open]")) {
    const same = other.querySelector(`details[data-key="${CSS.escape(details.dataset.key)}"]`);
    if (same) same.open = true;
  }
  card.replaceChildren(...other.childNodes);
}

function closeOtherMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.key === "Escape" || !menu.contains(event.target)) menu.open = false;
  }
}

if (pause) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Resume" : "Pause";
    if (isPaused) {
      close();
      show("still", "Paused");
    } else open();
  });
}
for (const snippet of document.querySelectorAll(".snippet")) {
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "quiet";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.querySelector("pre").textContent);
    copy.textContent = "Copied";
  });
  // A page that did not come over https or from this machine has no clipboard.
  if (navigator.clipboard) snippet.append(copy);
}
document.addEventListener("click", closeOtherMenus);
document.addEventListener("keydown", (event) => event.key === "Escape" && closeOtherMenus(event));
// A tab in the background holds no connection, of which a browser has six.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
open();
