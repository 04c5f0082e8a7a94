// How a log looks: times beside the rows, and long rows wrapped or not. Both are
// remembered.
import { number } from './log-rows.js';

const key = 'slipway.log';

export function startLooks(log, rows, signal) {
  const times = document.getElementById('log-times');
  const wrap = document.getElementById('log-wrap');
  const looks = { times: 'none', wrap: true, ...recall() };
  const start = Number(log.dataset.start);
  const format = {
    none: () => undefined,
    relative: (at) => sinceStart(at - start),
    absolute: (at) => new Date(at).toTimeString().slice(0, 8),
  };

  const stamp = (el) => {
    for (const row of el.matches('.row') ? [el] : el.querySelectorAll('.row')) {
      const text = row.dataset.t > 0 ? format[looks.times](Number(row.dataset.t)) : undefined;
      if (text === undefined) delete row.dataset.at;
      else row.dataset.at = text;
    }
  };
  const show = () => {
    times.value = looks.times;
    wrap.setAttribute('aria-pressed', String(looks.wrap));
    log.classList.toggle('unwrapped', !looks.wrap);
    log.classList.toggle('timed', looks.times !== 'none');
    stamp(rows.el);
  };
  const change = (what) => {
    Object.assign(looks, what);
    rows.keep(show);
    remember(looks);
  };
  if (!(looks.times in format)) looks.times = 'none';
  rows.dressers.add(stamp);
  times.addEventListener('change', () => change({ times: times.value }), { signal });
  wrap.addEventListener('click', () => change({ wrap: !looks.wrap }), { signal });
  show();

  // A row that was cut is shown whole on demand, a command with all its rows.
  rows.box.addEventListener('click', async (e) => {
    const cut = e.target.closest('a.cut');
    if (!cut || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    if ('asked' in cut.dataset) return;
    cut.dataset.asked = '';
    const row = cut.closest('.row');
    try {
      for (const one of row ? [row] : cut.parentElement.querySelectorAll('[data-cut]')) {
        const whole = (await rows.fetch(number(one), 1, signal, '&whole=1')).firstElementChild;
        one.querySelector('.t').replaceWith(whole.querySelector('.t'));
        delete one.dataset.cut;
        rows.dress(one);
      }
      if (!row) cut.remove();
    } catch {
      if (!signal.aborted) location.assign(cut.href);
    }
  }, { signal });
}

// sinceStart writes 3661000 ms as 1:01:01.
function sinceStart(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s < 3600 ? rest : `${Math.floor(s / 3600)}:${rest}`;
}

// Storage may be forbidden.
function recall() {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function remember(looks) {
  try {
    localStorage.setItem(key, JSON.stringify(looks));
  } catch {
    // then it lasts as long as the page
  }
}
