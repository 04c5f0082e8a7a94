// The log: links to lines, folding, and rows that arrive while a step runs.
import { duration } from './time.js';

// maxRows bounds the page while a reader follows the end of a long log.
const maxRows = 5000;

let source;
let stick = true;

export function startLog() {
  const log = document.getElementById('log');
  if (!log) return;
  log.addEventListener('click', click);
  showTarget();
  if (log.dataset.stream && window.EventSource) follow(log);
}

export function stopLog() {
  source?.close();
  source = undefined;
  document.getElementById('follow')?.remove();
}

function click(e) {
  const number = e.target.closest('a.n');
  if (number) {
    e.preventDefault(); // also keeps a command's summary from folding
    history.replaceState(null, '', number.href);
    showTarget();
    return;
  }
  const fold = e.target.closest('[data-fold]');
  if (fold) {
    for (const d of document.querySelectorAll('#rows details')) d.open = fold.dataset.fold === 'open';
  }
}

// showTarget marks the row that the address names. One that is not on this page
// is fetched with those around it.
function showTarget() {
  const line = /^#L([1-9][0-9]*)$/.exec(location.hash)?.[1];
  document.querySelector('.row.target')?.classList.remove('target');
  if (!line) return;
  const row = document.getElementById(`L${line}`);
  if (!row) {
    const first = Number(document.getElementById('log').dataset.first);
    if (Number(line) < first && !location.search.includes('line=')) location.replace(`?line=${line}#L${line}`);
    return;
  }
  const group = row.closest('details');
  if (group && !row.closest('summary')) group.open = true;
  row.classList.add('target');
  stick = false;
  if (!inView(row)) row.scrollIntoView({ block: 'center' });
}

function inView(el) {
  const r = el.getBoundingClientRect();
  return r.top >= 0 && r.bottom <= innerHeight;
}

function follow(log) {
  stick = !location.hash;
  connect(log, log.dataset.stream);
  toEnd();
}

function connect(log, url) {
  const rows = document.getElementById('rows');
  const tail = document.getElementById('tail');
  const stream = new EventSource(url);
  let last = 0;
  source = stream;
  stream.addEventListener('rows', (e) => {
    const holder = document.createElement('template');
    holder.innerHTML = e.data;
    for (const el of [...holder.content.children]) add(rows, tail, el);
    trim(log, rows);
    last = Number(e.lastEventId) || last;
    count(Number(log.dataset.first) || 1, last);
    toEnd();
  });
  stream.addEventListener('end', (e) => {
    const { exited, exit, at } = JSON.parse(e.data);
    endCommand(rows, exited ? exit : -1, at, true);
    tail.replaceChildren();
    stopLog();
  });
  stream.addEventListener('error', () => {
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again
    const next = last ? url.replace(/from=\d+/, `from=${last + 1}`) : url;
    setTimeout(() => { if (source === stream) connect(log, next); }, 3000);
  });
}

function add(rows, tail, el) {
  if ('open' in el.dataset) { // a line that is not complete: in the place of its last state
    tail.querySelector(`[data-open="${el.dataset.open}"]`)?.remove();
    if (el.querySelector('.t').textContent) tail.append(el);
    return;
  }
  if (document.getElementById(el.id)) return; // after a reconnection
  tail.querySelector(`[data-open="${el.dataset.s ?? '1'}"]`)?.remove();
  rows.querySelector('.log-empty')?.remove();
  if (el.matches('details')) {
    if (document.getElementById(el.querySelector('.row').id)) return;
    endCommand(rows, Number(el.dataset.exit), Number(el.dataset.start), false);
    rows.append(el);
    return;
  }
  const last = rows.lastElementChild;
  if ('more' in el.dataset && last?.matches('details') && !last.querySelector('.out .row')) {
    last.querySelector('.cmd-text').append(el);
    return;
  }
  let out = last?.matches('details') ? last.querySelector('.out') : last;
  if (!out) {
    out = document.createElement('div');
    out.className = 'out';
    rows.append(out);
  }
  out.append(el);
}

// endCommand marks the newest command as ended. One that passed and that another
// follows is folded, unless the reader has left the end to look at something.
function endCommand(rows, exit, at, last) {
  const cmd = rows.lastElementChild;
  if (!cmd?.matches('details.cmd') || cmd.dataset.ended) return;
  cmd.dataset.ended = '1';
  const end = cmd.querySelector('.cmd-end');
  end.replaceChildren();
  if (exit > 0) {
    cmd.classList.add('failed');
    end.append(text('exit', `exit code ${exit}`));
  } else if (exit === 0 && stick && !last) {
    cmd.open = false;
  }
  end.append(text('time', duration(at - Number(cmd.dataset.start))));
}

// count says how many lines there are, in the words of the page.
function count(first, last) {
  if (!last) return;
  const n = (i) => i.toLocaleString('en');
  document.getElementById('count').textContent =
    first > 1 ? `lines ${n(first)} to ${n(last)} of ${n(last)}` : `${n(last)} ${last === 1 ? 'line' : 'lines'}`;
}

function text(name, words) {
  const el = document.createElement('span');
  el.className = name;
  el.textContent = words;
  return el;
}

// trim drops the oldest rows of a long log that is followed at its end.
function trim(log, rows) {
  const all = rows.querySelectorAll('.out .row');
  if (!stick || all.length <= maxRows) return;
  const gone = [...all].slice(0, all.length - maxRows);
  for (const row of gone) row.remove();
  log.dataset.first = Number(gone.at(-1).id.slice(1)) + 1;
}

function toEnd() {
  if (stick) document.getElementById('log').scrollIntoView({ block: 'end' });
}

// The end is followed until the reader scrolls up, and again once he is back.
let lastY = 0;
addEventListener('scroll', () => {
  const end = document.documentElement.scrollHeight - innerHeight - scrollY < 40;
  if (end) stick = true;
  else if (scrollY < lastY) stick = false;
  lastY = scrollY;
  button(!stick && source !== undefined);
}, { passive: true });
addEventListener('hashchange', showTarget);

function button(show) {
  const old = document.getElementById('follow');
  if (!show) old?.remove();
  if (!show || old) return;
  const b = document.createElement('button');
  b.id = 'follow';
  b.textContent = 'Follow the end';
  b.addEventListener('click', () => { stick = true; toEnd(); b.remove(); });
  document.getElementById('main').append(b);
}
