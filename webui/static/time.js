// Keeps relative times and running durations current, by the rules of format.go.

export function duration(ms) {
  const s = Math.floor(ms / 1000);
  if (ms <= 0) return '';
  if (s < 10) return `${Math.floor(ms / 1000)}.${Math.floor(ms / 100) % 10}s`;
  if (s < 60) return `${s}s`;
  const two = (n) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  return `${Math.floor(s / 3600)}h ${two(Math.floor(s / 60) % 60)}m`;
}

function ago(ms) {
  const min = Math.floor(ms / 60000);
  if (ms < 45000) return 'just now';
  if (min < 60) return `${Math.max(1, min)} min ago`;
  if (min < 24 * 60) return `${Math.floor(min / 60)} h ago`;
  if (min < 30 * 24 * 60) return `${Math.floor(min / 1440)} d ago`;
  return '';
}

function set(el, text) {
  if (text && el.textContent !== text) el.textContent = text;
}

function tick() {
  const now = Date.now();
  for (const el of document.querySelectorAll('[data-since]')) {
    set(el, duration(now - Date.parse(el.dataset.since)));
  }
  for (const el of document.querySelectorAll('time[data-ago]')) {
    const at = Date.parse(el.dateTime);
    set(el, ago(now - at));
    if (!el.dataset.local) {
      el.dataset.local = '1';
      el.title = new Date(at).toLocaleString();
    }
  }
}

export function keepTimes() {
  tick();
  setInterval(tick, 1000);
}
