// Search in a log: the server looks through all of it, so that rows need not be
// in the page to be found.
import { number } from './log-rows.js';

const pause = 150;     // ms after the last key
const listed = 10_000; // hits that one can go to

export class Search {
  constructor(rows, links, onShow, signal) {
    this.rows = rows;
    this.links = links;
    this.onShow = onShow;
    this.form = document.getElementById('log-search');
    this.input = this.form.elements.q;
    this.said = this.form.querySelector('output');
    this.canvas = rows.box.parentElement.querySelector('.log-marks');
    this.clear();
    rows.dressers.add(() => this.soon());
    const on = (el, type, f) => el.addEventListener(type, f, { signal });
    on(this.form, 'submit', (e) => e.preventDefault());
    on(this.form, 'input', (e) => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(), e.target === this.input ? pause : 0);
    });
    on(this.form, 'keydown', (e) => this.key(e));
    on(this.form, 'click', (e) => {
      const step = e.target.closest('[data-hit]');
      if (step) this.step(Number(step.dataset.hit));
    });
    // Ctrl+F is taken only from the log itself: a second one is the browser's.
    on(rows.box, 'keydown', (e) => {
      if (e.key.toLowerCase() !== 'f' || !(e.ctrlKey || e.metaKey) || e.shiftKey || e.altKey) return;
      e.preventDefault();
      this.input.focus();
      this.input.select();
    });
    rows.el.addEventListener('toggle', () => this.soon(), { capture: true, signal });
    const resized = new ResizeObserver(() => this.soon());
    resized.observe(rows.box);
    signal.addEventListener('abort', () => { resized.disconnect(); clearTimeout(this.timer); this.asked?.abort(); this.clear(); });
  }

  key(e) {
    if (e.target !== this.input || e.isComposing) return;
    if (e.key === 'Enter') {
      e.preventDefault();
      const line = /^:(\d+)$/.exec(this.input.value.trim());
      if (line) this.goTo(Number(line[1]));
      else this.step(e.shiftKey ? -1 : 1);
    } else if (e.key === 'Escape' && this.input.value) {
      e.preventDefault();
      e.stopPropagation();
      this.input.value = '';
      this.run(); // which gives up a search that is under way
      this.rows.box.focus({ preventScroll: true });
    }
  }

  goTo(line) {
    const n = Math.min(Math.max(line, 1), this.rows.total);
    if (!n) return;
    this.onShow();
    this.links.go(n, n);
    this.rows.show(n);
  }

  query() {
    const q = this.input.value;
    const { case: exact, regex } = this.form.elements;
    return `q=${encodeURIComponent(q)}${exact.checked ? '&case=1' : ''}${regex.checked ? '&regex=1' : ''}`;
  }

  // run searches, and shows the first hit from where the reader is. The log may
  // have grown since the same was searched for.
  async run() {
    clearTimeout(this.timer);
    this.asked?.abort();
    const q = this.input.value;
    if (!q || /^:\d*$/.test(q.trim())) {
      this.clear();
      return;
    }
    const asked = new AbortController();
    this.asked = asked;
    try {
      const query = this.query();
      const ask = async (from) => {
        const res = await fetch(`${this.rows.path}/search?${query}&from=${from}`, { signal: asked.signal });
        if (!res.ok) throw new Error(String(res.status));
        return res.json();
      };
      this.found(await ask(1), query);
      while (this.answer.next) this.more(await ask(this.answer.next)); // it gives what it finds within a second
    } catch (e) {
      if (e.name !== 'AbortError') this.say('Search failed. Try again.');
    }
  }

  // more adds what was found in a further part of the log.
  more(answer) {
    const all = this.answer;
    const first = !all.rows.length;
    const room = Math.max(0, listed - all.rows.length);
    const texts = answer.texts ?? answer.rows.map(() => this.input.value);
    answer.rows.slice(0, room).forEach((n, i) => this.texts.set(n, texts[i]));
    all.rows.push(...answer.rows.slice(0, room));
    all.spread = [...all.spread ?? [], ...answer.spread ?? []];
    all.total += answer.total;
    all.next = answer.next;
    this.mark();
    this.tell();
    this.soon();
    if (first) this.showHit();
  }

  found(answer, query) {
    const { regex, case: exact } = this.form.elements;
    this.done = query;
    this.answer = answer;
    const q = this.input.value;
    this.texts = new Map(answer.rows.map((n, i) => [n, answer.texts ? answer.texts[i] : q]));
    this.exact = exact.checked || regex.checked;
    this.problem = answer.error;
    this.mark();
    const from = this.rows.top();
    this.at = answer.rows.findIndex((n) => n >= from);
    if (this.at < 0) this.at = 0;
    this.tell();
    this.soon();
    this.showHit();
  }

  // mark chooses what the scroll bar shows: all hits, or those that stand for them.
  mark() {
    const { rows, total, spread } = this.answer;
    this.marks = rows.length < total ? spread : rows;
  }

  // step goes to another hit, once what is in the field was searched for.
  async step(by) {
    if (this.done !== this.query()) {
      await this.run();
      return;
    }
    const n = this.answer?.rows.length;
    if (!n) return;
    this.at = (this.at + by + n) % n;
    this.tell();
    this.showHit();
  }

  async showHit() {
    const n = this.answer.rows[this.at];
    if (n === undefined) return;
    this.onShow();
    this.now = n;
    await this.rows.show(n);
    this.soon();
  }

  tell() {
    const { total, rows, next } = this.answer;
    const num = (n) => n.toLocaleString('en');
    let words = 'no hits';
    if (this.problem) words = `not a regular expression: ${this.problem}`;
    else if (total) words = `${num(this.at + 1)} of ${num(total)}`;
    if (rows.length < total) words += ` (first ${num(rows.length)} listed)`;
    if (next) words += ` in the first ${num(next - 1)} lines, searching on`;
    this.say(words);
  }

  say(text) { if (this.said.textContent !== text) this.said.textContent = text; }

  clear() {
    this.done = this.answer = this.now = this.problem = undefined;
    this.texts = new Map();
    this.marks = [];
    this.say('');
    this.soon();
  }

  // soon draws the hits with the next frame.
  soon() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = undefined;
      this.paint();
      this.scale();
    });
  }

  // paint marks the hits in the rows that are in the page.
  paint() {
    const all = [];
    let now;
    for (const row of this.rows.el.querySelectorAll('.row.hit')) row.classList.remove('hit', 'now');
    for (const row of this.texts.size ? this.rows.rendered() : []) {
      const n = number(row);
      const text = this.texts.get(n);
      if (text === undefined) continue;
      row.classList.add('hit');
      const ranges = textRanges(row.querySelector('.t'), text, this.exact);
      all.push(...ranges);
      if (n !== this.now) continue;
      row.classList.add('now');
      now = ranges;
      const whole = 'cut' in row.dataset ? row.closest('.cmd') : row;
      if (!ranges.length) whole.querySelector('.cut')?.click(); // it is in what is not shown
    }
    if (!window.CSS?.highlights) return; // the rows are marked
    CSS.highlights.set('log-hit', new Highlight(...all));
    CSS.highlights.set('log-hit-now', new Highlight(...now ?? []));
  }

  // scale marks the hits in the scroll bar.
  scale() {
    const { canvas } = this;
    const ratio = devicePixelRatio;
    const height = Math.round(canvas.clientHeight * ratio);
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = height; // which clears it
    if (!this.marks.length || !height) return;
    const pen = canvas.getContext('2d');
    pen.fillStyle = getComputedStyle(canvas).color;
    const thick = Math.max(2, Math.round(2 * ratio));
    for (const y of new Set(this.rows.places(this.marks).map((p) => Math.round(p * (height - thick))))) {
      pen.fillRect(0, y, canvas.width, thick);
    }
  }
}

// textRanges returns where a text is in an element.
function textRanges(el, text, exact) {
  const fold = (s) => (exact ? s : s.toLowerCase());
  const all = fold(el.textContent);
  const wanted = fold(text);
  const ranges = [];
  if (!wanted) return ranges;
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
    const range = new Range();
    range.setStart(...point(el, at));
    range.setEnd(...point(el, at + wanted.length));
    ranges.push(range);
    if (ranges.length === 100) break;
  }
  return ranges;
}

// point returns the text node that has a place in an element's text, and where
// in it that is.
function point(el, at) {
  const walk = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
  let node;
  while (walk.nextNode()) {
    node = walk.currentNode;
    if (at <= node.length) return [node, at];
    at -= node.length;
  }
  return node ? [node, node.length] : [el, 0];
}
