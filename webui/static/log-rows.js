// The rows of a log of any size. Those that are near the reader are in the page;
// others are blocks without content, as high as they will be, which are filled
// when they come near and emptied when they are gone. So the scroll bar is that
// of the whole log, and the page stays small.

const blockRows = 100;     // in a block, while that makes no more than maxBlocks
const maxBlocks = 10_000;
const maxBlockRows = 2000; // that the server gives at once
const maxHeight = 15e6;    // pixels of empty blocks; browsers end an element at 17 million
const nearby = 1200;       // pixels above and below what is in view

// A Block is some rows that follow one another, and the element they are in.
class Block {
  constructor(from, to) {
    this.el = document.createElement('div');
    this.el.className = 'block';
    this.from = from;
    this.to = to;
    this.closed = false;      // no rows are added to it
    this.filling = undefined; // the promise, while it is
  }
  get count() { return this.to - this.from + 1; }
}

export class Rows {
  constructor(log, signal) {
    const { total, path, rendering } = log.dataset;
    this.box = log.querySelector('.log-box');
    this.el = document.getElementById('rows');
    this.signal = signal;
    this.total = Number(total);
    this.path = path;
    this.rendering = rendering;
    this.blocks = new WeakMap();
    this.near = new Set();     // the blocks that are near the reader
    this.full = new Set();     // those that are filled
    this.dressers = new Set(); // called with an element whose rows are new
    this.rowHeight = parseFloat(getComputedStyle(this.box).getPropertyValue('--row-height'));
    this.measure();
    this.frame = undefined;    // in which look is called
    this.goal = 0; // a row that was jumped to, and stays in view as those around it come
    for (const type of ['wheel', 'touchstart', 'pointerdown', 'keydown']) {
      this.box.addEventListener(type, () => { this.goal = 0; }, { signal, passive: true });
    }
    const resized = new ResizeObserver(() => {
      const row = this.goal && this.row(this.goal);
      if (row) this.center(row, false);
      this.soon();
    });
    resized.observe(this.el);
    resized.observe(this.box);
    signal.addEventListener('abort', () => resized.disconnect());
    this.box.addEventListener('scroll', () => this.soon(), { signal, passive: true });
    for (const out of this.el.querySelectorAll('.out')) if (!out.closest('details:not([open])')) this.adopt(out);
    // A folded command gets its blocks when it is opened. toggle does not bubble.
    this.el.addEventListener('toggle', (e) => {
      const out = e.target.open && e.target.querySelector('.out');
      if (out) this.adopt(out);
    }, { capture: true, signal });
  }

  // measure decides how many rows a block has, and how high an empty one is, for
  // a log that may become a tenth longer.
  measure() {
    const per = blockRows * Math.ceil(this.total / (blockRows * maxBlocks));
    this.size = Math.min(maxBlockRows, Math.max(blockRows, per));
    this.height = Math.min(this.rowHeight, maxHeight / this.total);
    this.enough = Math.max(1.1 * this.total, maxHeight / this.rowHeight);
  }

  // remeasure fits the empty blocks into a log that has outgrown its measures.
  remeasure() {
    this.measure();
    this.keep(() => {
      for (const out of this.el.querySelectorAll('.out')) this.merge(out);
    });
  }

  // merge replaces the empty blocks of an output by as few as will do.
  merge(out) {
    let run = [];
    const cover = () => {
      if (run.length > 1) {
        run[0].el.before(...this.cover(run[0].from, run.at(-1).to));
        for (const { el } of run) el.remove();
      }
      run = [];
    };
    for (const el of [...out.children]) {
      const block = this.blocks.get(el);
      if (block && !this.full.has(block) && !block.filling) run.push(block);
      else cover();
    }
    cover();
  }

  // adopt makes blocks of what the server put into the output of a command.
  adopt(out) {
    let block;
    for (const el of [...out.childNodes]) {
      if (this.blocks.has(el)) continue;
      if (el.nodeType === Node.ELEMENT_NODE && el.matches('.row')) {
        const n = number(el);
        if (!block) {
          block = new Block(n, n);
          el.before(block.el);
          this.blocks.set(block.el, block);
          this.full.add(block);
        }
        block.to = n;
        block.el.append(el);
        continue;
      }
      block = undefined;
      if (el.nodeType === Node.ELEMENT_NODE && el.matches('.gap')) {
        el.before(...this.cover(Number(el.dataset.from), Number(el.dataset.to)));
      }
      el.remove();
    }
  }

  // cover returns empty blocks. They end at multiples of their size, so that
  // whoever comes again asks for the same rows, and the browser has them.
  cover(from, to) {
    const els = [];
    for (let at = from; at <= to;) {
      const end = Math.min(to, Math.ceil(at / this.size) * this.size);
      const block = new Block(at, end);
      this.fit(block);
      this.blocks.set(block.el, block);
      els.push(block.el);
      at = end + 1;
    }
    return els;
  }

  // fit makes an empty block as high as its rows will be, or less if the log
  // would be higher than browsers can scroll.
  fit(block) {
    block.el.style.height = `${block.count * this.height}px`;
  }

  // soon calls look once in a frame, after all who listen to what calls it: look
  // changes the heights that they ask for.
  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (!this.signal.aborted) this.look();
    });
  }

  // look fills the blocks that are near the reader and empties the others. It
  // finds them by where they are: an IntersectionObserver of thousands of blocks
  // takes half of a frame.
  look() {
    const { top, bottom } = this.box.getBoundingClientRect();
    const from = top - nearby;
    const to = bottom + nearby;
    const near = new Set();
    for (const el of between(this.el.children, from, to)) {
      const out = el.matches('details') ? el.open && el.querySelector('.out') : el;
      if (!out) continue;
      for (const child of between(out.children, from, to)) {
        const block = this.blocks.get(child);
        if (block) near.add(block);
      }
    }
    const left = this.near;
    this.near = near;
    // What a jump goes to comes first, and then calls again.
    const goal = [...near].find((block) => !this.full.has(block) && this.isGoal(block));
    for (const block of goal ? [goal] : near) this.fill(block);
    for (const block of left) if (!near.has(block)) this.giveUp(block);
    this.empty([...this.full].filter((block) => !near.has(block)));
  }

  isGoal(block) { return block.from <= this.goal && this.goal <= block.to; }

  giveUp(block) {
    block.stop?.abort();
    block.filling = undefined;
  }

  // fill returns when the rows of a block are in the page, or another one must
  // be called for them.
  fill(block) {
    if (this.full.has(block)) return undefined;
    if (!block.filling) {
      const stop = new AbortController();
      block.stop = stop;
      const filling = this.load(block, AbortSignal.any([this.signal, stop.signal])).catch(() => {
        if (this.signal.aborted || stop.signal.aborted) return;
        block.el.classList.add('waiting');
        setTimeout(() => {
          if (block.filling !== filling) return;
          block.filling = undefined;
          if (this.near.has(block)) this.fill(block);
        }, 2000);
      });
      block.filling = filling;
    }
    return block.filling;
  }

  async load(block, signal) {
    const holder = document.createElement('template');
    for (let next = block.from; next <= block.to;) { // the server gives fewer where they are long
      const rows = await this.fetch(next, block.to - next + 1, signal);
      if (!rows.children.length) throw new Error(`no row ${next}`);
      next = number(rows.lastElementChild) + 1;
      holder.content.append(rows);
    }
    if (signal.aborted) return;
    block.el.replaceChildren(holder.content);
    block.el.style.height = '';
    block.el.classList.remove('waiting');
    this.full.add(block);
    block.filling = undefined;
    this.dress(block.el);
    if (this.isGoal(block)) this.soon();
  }

  // fetch returns rows in a fragment.
  async fetch(from, n, signal, more = '') {
    const res = await fetch(`${this.path}/lines?from=${from}&n=${n}&v=${this.rendering}${more}`, { signal });
    if (!res.ok) throw new Error(`rows from ${from}: ${res.status}`);
    const holder = document.createElement('template');
    holder.innerHTML = await res.text();
    return holder.content;
  }

  // empty lets go of the rows of blocks, unless they are selected or have the
  // focus. All are measured before the first one changes.
  empty(blocks) {
    const selected = getSelection();
    const go = blocks.filter(({ el }) => !el.contains(document.activeElement) && (selected.isCollapsed || !selected.containsNode(el, true)));
    const heights = go.map(({ el }) => el.getBoundingClientRect().height); // 0 in a folded command
    go.forEach((block, i) => {
      if (heights[i] > 0 && this.height === this.rowHeight) block.el.style.height = `${heights[i]}px`;
      else this.fit(block);
      block.el.replaceChildren();
      this.full.delete(block);
    });
  }

  dress(el) {
    for (const f of this.dressers) f(el);
  }

  // row returns the element of a row that is in the page.
  row(n) { return document.getElementById(`L${n}`); }

  // rendered returns the rows that are in the page.
  rendered() { return this.el.querySelectorAll('.row'); }

  // out returns the output that has a row.
  out(n) {
    for (const out of this.el.querySelectorAll('.out')) {
      if (Number(out.dataset.first) <= n && n <= Number(out.dataset.last)) return out;
    }
    return undefined;
  }

  // open unfolds the command of a row and returns the row's block.
  open(n) {
    const out = this.out(n);
    if (!out) return undefined;
    const command = out.closest('details');
    if (command) command.open = true;
    this.adopt(out);
    return blockOf(this, out, n);
  }

  // show brings a row into view, wherever it is, and returns it. The page itself
  // stays where it is unless it may scroll.
  async show(n, scroll = true) {
    this.goal = n;
    let row = this.row(n);
    if (!row || row.closest('details:not([open]) .out')) {
      const block = this.open(n);
      if (!block) return undefined;
      if (!this.row(n)) {
        const top = block.el.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
        const within = block.el.clientHeight * (n - block.from) / block.count;
        this.box.scrollTop += top + within - this.box.clientHeight / 2;
        await this.fill(block);
        if (this.goal !== n) return undefined; // the reader went elsewhere meanwhile
      }
      row = this.row(n);
    }
    if (row) this.center(row, scroll);
    return row;
  }

  // center brings a row to the middle of the box, and the box into view.
  center(row, scroll = true) {
    const { top, height } = row.getBoundingClientRect();
    const box = this.box.getBoundingClientRect();
    if (top < box.top + 60 || top + height > box.bottom - 20) {
      this.box.scrollTop += top - box.top - (this.box.clientHeight - height) / 2;
    }
    if (scroll && (box.top > innerHeight - 80 || box.bottom < 80)) this.box.scrollIntoView({ block: 'nearest' });
  }

  // top returns the number of the first row in view, the heading of an open
  // command aside, which stays on top.
  top() {
    const { left, top } = this.box.getBoundingClientRect();
    for (let y = top + 4; y < top + 200; y += this.rowHeight / 2) {
      const row = document.elementFromPoint(left + 8, y)?.closest?.('.row');
      if (row?.id && !row.closest('details[open] > summary')) return number(row);
    }
    return 1;
  }

  // keep carries out a change of how rows look, and leaves the first one in view
  // where it is.
  keep(change) {
    const row = this.row(this.top());
    const before = row?.getBoundingClientRect().top;
    change();
    for (const el of this.el.querySelectorAll('.block')) {
      const block = this.blocks.get(el);
      if (block && !this.full.has(block)) this.fit(block);
    }
    if (row) this.box.scrollTop += row.getBoundingClientRect().top - before;
  }

  // add adds a row after all others, to the output of the newest command. It is
  // thrown away if the rows before it are not in the page: it will be fetched
  // with them.
  add(row) {
    const n = number(row);
    const out = this.extend(n);
    const last = this.blocks.get(out.lastElementChild);
    if (!last && out.childElementCount) { // a folded command that has no blocks yet
      const gap = out.querySelector('.gap:last-child');
      if (gap) gap.dataset.to = n;
      else out.append(row);
      return;
    }
    if (last && last.count < this.size && !last.closed) {
      last.to = n;
      if (this.full.has(last)) this.put(last, row);
      else this.fit(last);
      return;
    }
    const block = new Block(n, n);
    const shown = !last || this.full.has(last) || last.closed;
    out.append(block.el);
    this.blocks.set(block.el, block);
    if (shown) {
      this.full.add(block);
      this.put(block, row);
    } else {
      this.fit(block);
    }
  }

  // skip adds rows that are not here up to one with a number. They are fetched
  // when they are looked at.
  skip(to) {
    const from = this.total + 1;
    const out = this.extend(to);
    if (!out.childElementCount || this.blocks.has(out.lastElementChild)) {
      for (const el of this.cover(from, to)) {
        this.blocks.get(el).closed = true;
        out.append(el);
      }
      return;
    }
    // A folded command that has no blocks yet.
    let gap = out.querySelector('.gap:last-child');
    if (!gap) {
      gap = document.createElement('a');
      gap.className = 'gap';
      gap.dataset.from = from;
      out.append(gap);
    }
    gap.dataset.to = to;
  }

  // extend makes the log and the output of its newest command end with a row, and
  // returns that output.
  extend(n) {
    let out = this.el.lastElementChild;
    if (out?.matches('details')) out = out.querySelector('.out');
    if (!out) {
      out = document.createElement('div');
      out.className = 'out';
      this.el.append(out);
    }
    out.dataset.first ??= this.total + 1;
    out.dataset.last = n;
    this.total = n;
    if (n > this.enough) this.remeasure();
    return out;
  }

  put(block, row) {
    block.el.append(row);
    this.dress(row);
  }

  // places returns how far down the log rows are, each from 0 to 1. The rows
  // are in their order.
  places(numbers) {
    const all = this.box.scrollHeight;
    const zero = this.box.getBoundingClientRect().top - this.box.scrollTop;
    const rect = new Map(); // reading an element twice is slow where there are thousands
    const at = (el, share) => {
      if (!rect.has(el)) rect.set(el, el.getBoundingClientRect());
      const { top, height } = rect.get(el);
      return (top + height * share - zero) / all;
    };
    const outs = [...this.el.querySelectorAll('.out')];
    const places = [];
    let i = 0;
    for (const n of numbers) {
      while (i < outs.length - 1 && Number(outs[i].dataset.last) < n) i++;
      const out = outs[i];
      const folded = out.closest('details:not([open])');
      const block = !folded && n >= Number(out.dataset.first) && blockOf(this, out, n);
      if (block) places.push(at(block.el, (n - block.from) / block.count));
      else places.push(at(folded || out.closest('details') || out, 0));
    }
    return places;
  }
}

// between returns those of some elements, which stand below one another, that
// reach between two heights on the screen.
function between(els, from, to) {
  let low = 0;
  let high = els.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (els[middle].getBoundingClientRect().bottom < from) low = middle + 1;
    else high = middle;
  }
  const found = [];
  for (; low < els.length && els[low].getBoundingClientRect().top <= to; low++) found.push(els[low]);
  return found;
}

// number returns the number of a row.
export function number(row) { return Number(row.id.slice(1)); }

// blockOf finds the block of a row. Blocks are in their order.
function blockOf(rows, out, n) {
  let low = 0;
  let high = out.children.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const block = rows.blocks.get(out.children[middle]);
    if (!block) return undefined;
    if (n < block.from) high = middle - 1;
    else if (n > block.to) low = middle + 1;
    else return block;
  }
  return undefined;
}
