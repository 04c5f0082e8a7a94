// Keeps the parts of a page current by its one stream of events.
import { startSteps } from './steps.js';

// Over HTTP/1.1 a browser has six connections to a server, and a stream keeps one.
// Pages in the background would leave none to the page that is looked at, so they
// only listen now and then.
const listens = 3000; // ms that a page in the background does
const rests = 15_000; // ms until it does again
// ms until a stream is tried again that the browser has given up, and each time
// twice as many: a server that has too many of them does not need more.
const retries = 3000;
const mostRetries = 30_000;

let source;
let seen;  // the ID of the newest event; undefined if the page itself is newer
let timer; // of what is to be done with the stream next
let wait = retries;

export function startLive() {
  keepPressed();
  connect();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) after(listens, rest);
    else if (source?.readyState === EventSource.CLOSED) connect();
    else clearTimeout(timer);
  });
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = undefined;
  if (!document.body.dataset.live || !window.EventSource) return;
  const url = new URL(document.body.dataset.live, location.href);
  if (seen !== undefined) url.searchParams.set('since', seen);
  source = new EventSource(url);
  source.addEventListener('open', () => {
    wait = retries;
    say('');
  });
  source.addEventListener('error', () => {
    say('Connection lost, trying again.');
    if (source.readyState !== EventSource.CLOSED) return; // the browser does
    after(wait, connect);
    wait = Math.min(2 * wait, mostRetries);
  });
  source.addEventListener('reload', (e) => {
    seen = e.lastEventId;
    reload('[data-part="list"]');
  });
  source.addEventListener('update', (e) => {
    seen = e.lastEventId;
    update(JSON.parse(e.data));
  });
  if (document.hidden) after(listens, rest);
}

function rest() {
  source?.close();
  after(rests, connect);
}

function after(ms, what) {
  clearTimeout(timer);
  timer = setTimeout(what, ms);
}

// say tells what matters of the connection, in a region that is read out.
function say(text) {
  const el = document.getElementById('live');
  if (el && el.textContent !== text) el.textContent = text;
}

function update(data) {
  for (const [name, html] of Object.entries(data.parts)) {
    const el = document.querySelector(`[data-part="${name}"]`);
    if (el) replace(el, html);
  }
  document.title = data.title;
  const icon = document.querySelector('link[rel="icon"]');
  if (icon.getAttribute('href') !== data.icon) icon.href = data.icon;
  if (data.ended) document.dispatchEvent(new CustomEvent('build-ended', { detail: data }));
  if (data.select) open(data.select);
}

// A press becomes a click only if what it began on is still there when it ends.
let pressed;               // what that is, while it lasts
const waiting = new Map(); // parts that have changed but are held as they are, and their new contents

function keepPressed() {
  addEventListener('pointerdown', (e) => { if (e.isPrimary) pressed = e.target; });
  for (const type of ['pointerup', 'pointercancel', 'contextmenu', 'blur']) {
    addEventListener(type, () => setTimeout(release)); // the click comes first
  }
}

function release() {
  pressed = undefined;
  settle();
}

function settle() {
  const all = [...waiting];
  waiting.clear();
  for (const [el, html] of all) replace(el, html);
}

// replace puts new contents into a part and leaves the focus where it was: not
// before a press in it has ended, or a question in it is answered.
function replace(el, html) {
  const question = el.querySelector(':popover-open');
  if (question || pressed && el.contains(pressed)) {
    waiting.set(el, html);
    question?.addEventListener('toggle', settle, { once: true });
    return;
  }
  const active = document.activeElement;
  const held = el.contains(active) ? (active.id ? `#${CSS.escape(active.id)}` : selector(active)) : '';
  const unfolded = [...el.querySelectorAll('details')].map((d) => d.open);
  el.innerHTML = html;
  el.querySelectorAll('details').forEach((d, i) => { if (unfolded[i]) d.open = true; });
  if (held) el.querySelector(held)?.focus({ preventScroll: true });
}

function selector(el) {
  const href = el.getAttribute('href');
  return href ? `a[href="${CSS.escape(href)}"]` : '';
}

async function page(url) {
  const res = await fetch(url, { headers: { Accept: 'text/html', 'X-Requested-With': 'fetch' } });
  if (!res.ok) throw new Error(`${url}: ${res.status}`);
  return new DOMParser().parseFromString(await res.text(), 'text/html');
}

let reloading = false;
let outdated = false; // what is being reloaded has changed since it was asked for
let again;            // timer of a reload that failed

// reload brings a part up to date. One answer at a time: an older one must not
// come after a newer one.
async function reload(part) {
  outdated = true;
  if (reloading) return;
  reloading = true;
  try {
    while (outdated) {
      outdated = false;
      const fresh = (await page(location.href)).querySelector(part);
      const el = document.querySelector(part);
      if (fresh && el) replace(el, fresh.innerHTML);
    }
    say('');
  } catch { // the stream will not tell of it again
    say('Reloading the list failed, trying again.');
    clearTimeout(again);
    again = setTimeout(() => reload(part), retries);
  } finally {
    reloading = false;
  }
}

// open shows another step in place: the build went on to it.
async function open(url) {
  clearTimeout(timer);
  source.close();
  document.dispatchEvent(new CustomEvent('page-left'));
  try {
    const next = await page(url);
    history.replaceState(null, '', url); // it may have named a row of the step before
    document.getElementById('main').replaceWith(document.adoptNode(next.getElementById('main')));
    if (next.body.dataset.live) document.body.dataset.live = next.body.dataset.live;
    else delete document.body.dataset.live;
    seen = undefined;
    connect();
    startSteps();
    document.dispatchEvent(new CustomEvent('page-shown'));
  } catch {
    location.assign(url);
  }
}
