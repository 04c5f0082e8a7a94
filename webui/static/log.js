// The log of a step. Without it the page shows a window of the log, and links
// lead to others.
import { Links } from './log-links.js';
import { Live } from './log-live.js';
import { Rows } from './log-rows.js';
import { Search } from './log-search.js';
import { startLooks } from './log-looks.js';
import { startColors } from './colors.js';

let running;

document.addEventListener('page-left', stop);
document.addEventListener('page-shown', start);
if (!document.hidden) await painted();
if (!running) start(); // else the page went on to another step meanwhile
startColors(document.body);

// painted returns after the next frame. The first one shows what readers came
// for, and need not wait for what the script does.
function painted() {
  return new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
}

function start() {
  stop();
  const log = document.getElementById('log');
  if (!log) return;
  running = new AbortController();
  const { signal } = running;
  const rows = new Rows(log, signal);
  const links = new Links(log, rows, signal);
  startLooks(log, rows, signal);
  const linked = links.visit();
  const line = Number(log.dataset.line);
  const live = new Live(log, rows, !linked && !line, signal);
  addEventListener('hashchange', () => { if (links.visit()) live.leave(); }, { signal });
  new Search(rows, links, () => live.leave(), signal);
  if (!linked && line) rows.show(line, !document.querySelector('.digest'));
  log.addEventListener('click', (e) => {
    const fold = e.target.closest('[data-fold]')?.dataset.fold;
    if (fold || e.target.closest('.n, summary')) live.leave(); // to look at something
    if (!fold) return;
    for (const command of rows.el.querySelectorAll('details')) command.open = fold === 'open';
  }, { signal });
  log.dataset.scripted = '';
}

function stop() {
  running?.abort();
  running = undefined;
  document.getElementById('follow')?.remove();
}
