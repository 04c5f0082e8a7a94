// Rows that arrive while a step runs.
import { duration } from './time.js';
import { number } from './log-rows.js';

// When a stream is tried again that the browser has given up, in ms: see live.js.
const retries = 1000;
const mostRetries = 30_000;

// At this distance from the end, in pixels, the reader counts as being there.
const close = 30;

// How many rows are shown of those that came since the last frame. A step that
// writes faster than a browser draws has those before fetched where they are
// looked at.
const keptRows = 1000;

export class Live {
  constructor(log, rows, follow, signal) {
    this.log = log;
    this.rows = rows;
    this.signal = signal;
    this.box = rows.box;
    this.tail = document.getElementById('tail');
    this.stick = follow;
    this.wait = retries;
    this.queue = []; // of what came since the last frame
    this.frame = 0;
    this.fresh = 0; // rows that came since the reader left the end
    this.known();
    this.box.addEventListener('scroll', () => this.scrolled(), { signal, passive: true });
    const resized = new ResizeObserver(() => this.toEnd()); // rows were filled in, a command was folded
    resized.observe(rows.el);
    signal.addEventListener('abort', () => {
      resized.disconnect();
      this.stop();
    });
    if (log.dataset.stream) this.connect();
    document.addEventListener('visibilitychange', () => this.attend(), { signal });
    this.attend();
    this.toEnd();
  }

  connect() {
    this.flush();
    const source = new EventSource(`${this.log.dataset.stream}?from=${this.rows.total + 1}`);
    this.source = source;
    source.addEventListener('rows', (e) => this.take(e.data, Number(e.lastEventId)));
    source.addEventListener('end', (e) => this.end(JSON.parse(e.data)));
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
      setTimeout(() => { if (this.source === source) this.attend(); }, this.wait);
      this.wait = Math.min(2 * this.wait, mostRetries);
    });
    source.addEventListener('open', () => { this.wait = retries; });
  }

  // attend keeps the stream open while the page is looked at, and only then: see
  // live.js.
  attend() {
    if (document.hidden) this.source?.close();
    else if (this.source?.readyState === EventSource.CLOSED) this.connect();
  }

  // take takes rows up to the one with the number last.
  take(html, last) {
    this.queue.push({ html, last });
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  // flush brings what came into the page.
  flush() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { queue } = this;
    if (!queue.length) return;
    this.queue = [];
    const before = this.rows.total;
    const newest = Math.max(...queue.map((e) => e.last));
    const shown = newest - keptRows;
    if (newest > before) this.rows.el.querySelector('.log-empty')?.remove(); // before it is taken for an output
    for (const { html, last } of queue) {
      if (before < last && last < shown && !/<details|data-more/.test(html)) { // no command
        this.tail.replaceChildren();
        this.rows.skip(last);
        continue;
      }
      const holder = document.createElement('template');
      holder.innerHTML = html;
      for (const el of [...holder.content.children]) this.add(el);
    }
    count(this.rows.total);
    if (!this.stick) this.fresh += this.rows.total - before;
    this.toEnd();
    this.button();
  }

  add(el) {
    if ('open' in el.dataset) { // a line that is not complete: in the place of its last state
      this.clear(el.dataset.open);
      if (el.querySelector('.t').textContent) this.tail.append(el);
      return;
    }
    const row = el.matches('details') ? el.querySelector('.row') : el;
    if (number(row) <= this.rows.total) return; // after a reconnection
    this.clear(row.dataset.s ?? '1');
    const last = this.rows.el.lastElementChild;
    if (el.matches('details')) {
      this.endCommand(Number(el.dataset.exit), el.dataset.words, Number(el.dataset.start));
      this.rows.el.append(el);
      this.rows.total = number(row);
      this.rows.dress(row);
    } else if ('more' in el.dataset && last?.matches('details') && !last.querySelector('.out').childElementCount) {
      last.querySelector('.cmd-text').append(el);
      if ('cut' in el.dataset && !last.querySelector(':scope > .cut')) last.querySelector('summary').after(whole(el.dataset.cut));
      this.rows.total = number(row);
      this.rows.dress(row);
    } else {
      this.rows.add(el);
    }
  }

  // clear removes the line of a stream that is not complete.
  clear(stream) { this.tail.querySelector(`[data-open="${stream}"]`)?.remove(); }

  // endCommand marks the newest command as ended. One that passed and that another
  // follows is folded, unless the reader has left the end to look at something.
  endCommand(exit, words, at, last = false) {
    const command = this.rows.el.lastElementChild;
    if (!command?.matches('details.cmd') || 'ended' in command.dataset) return;
    command.dataset.ended = '';
    const end = command.querySelector('.cmd-end');
    end.replaceChildren();
    if (exit > 0) {
      command.classList.add('failed');
      end.append(span('exit', words));
    } else if (exit === 0 && this.stick && !last) {
      command.open = false;
    }
    end.append(span('time', duration(at - Number(command.dataset.start))));
  }

  end({ exited, exit, words, at }) {
    this.flush();
    this.endCommand(exited ? exit : -1, words, at, true);
    this.tail.replaceChildren();
    this.stop();
    this.button();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.source?.close();
    this.source = undefined;
  }

  // The end is followed until the reader scrolls up, and again once he is back.
  // A box that has become less high scrolls up by itself.
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    if (scrollHeight - clientHeight - scrollTop < close) {
      this.stick = true;
      this.fresh = 0;
    } else if (scrollTop < this.top && scrollHeight >= this.height) {
      this.stick = false;
    }
    this.known();
    this.button();
  }

  // known remembers how the box is, so that what the reader does next is told
  // from what the page did.
  known() {
    this.top = this.box.scrollTop;
    this.height = this.box.scrollHeight;
  }

  // leave stops following: the reader looks at something.
  leave() {
    this.stick = false;
    this.button();
  }

  toEnd() {
    if (!this.stick) return;
    this.box.scrollTop = this.box.scrollHeight;
    this.known(); // the reader may scroll before the event of this comes
  }

  button() {
    const old = document.getElementById('follow');
    if (this.stick || !this.source) {
      old?.remove();
      return;
    }
    const b = old ?? document.createElement('button');
    b.textContent = this.fresh ? `${this.fresh.toLocaleString('en')} new ${this.fresh === 1 ? 'line' : 'lines'} ↓` : 'Follow the end ↓';
    if (old) return;
    b.id = 'follow';
    b.type = 'button';
    b.addEventListener('click', () => {
      this.stick = true;
      this.fresh = 0;
      this.rows.goal = 0;
      this.toEnd();
      this.button();
      this.box.focus({ preventScroll: true });
    });
    this.box.after(b);
  }
}

// whole is the link below a command of which some is not shown.
function whole(address) {
  const link = document.createElement('a');
  link.className = 'cut';
  link.href = address;
  link.textContent = 'command cut here, show all';
  return link;
}

// count says how many lines there are, in the words of the page.
function count(n) {
  if (n) document.getElementById('count').textContent = `${n.toLocaleString('en')} ${n === 1 ? 'line' : 'lines'}`;
}

function span(name, words) {
  const el = document.createElement('span');
  el.className = name;
  el.textContent = words;
  return el;
}
