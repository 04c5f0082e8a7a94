// Links to rows: #step:123 and #step:120-130. The address names the first row
// to the server too, so that the page comes with it.
import { number } from './log-rows.js';

export class Links {
  constructor(log, rows, signal) {
    this.step = log.dataset.step;
    this.rows = rows;
    this.from = this.to = 0;
    rows.dressers.add((el) => this.mark(el));
    rows.box.addEventListener('click', (e) => this.click(e), { signal });
  }

  // visit shows the rows that the address names, and reports whether it names any.
  visit() {
    const at = parse(location.hash);
    if (!at) return false;
    this.select(...at);
    this.rows.show(this.from);
    return true;
  }

  click(e) {
    const link = e.target.closest('.row[id] > .n');
    if (!link || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault(); // also keeps a command's summary from folding
    const n = number(link.parentElement);
    if (e.shiftKey && this.from) {
      getSelection().removeAllRanges(); // which shift has made
      this.go(Math.min(this.from, n), Math.max(this.from, n));
    } else {
      this.go(n, n);
    }
  }

  // go selects rows and puts them into the address.
  go(from, to) {
    this.select(from, to);
    const range = from === to ? from : `${from}-${to}`;
    history.replaceState(null, '', `${this.rows.path}?line=${from}#${encodeURIComponent(this.step)}:${range}`);
  }

  select(from, to) {
    this.from = from;
    this.to = to;
    for (const row of this.rows.el.querySelectorAll('.row.target')) row.classList.remove('target');
    this.mark(this.rows.el);
  }

  mark(el) {
    for (const row of el.matches('.row') ? [el] : el.querySelectorAll('.row')) {
      const n = number(row);
      if (this.from <= n && n <= this.to) row.classList.add('target');
    }
  }
}

function parse(hash) {
  const m = /^#(?:.*:|L)([1-9]\d*)(?:-L?([1-9]\d*))?$/.exec(hash);
  if (!m) return undefined;
  const from = Number(m[1]);
  return [from, Math.max(from, Number(m[2] ?? from))];
}
