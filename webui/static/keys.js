// Keys for who does not want to reach for the mouse. They are those of this one
// table, which the list behind "?" is made of; none works while one is typing.

const keys = [
  { key: '?', text: 'Show this list', run: help },
  { key: '/', text: 'Search', run: () => document.querySelector('.bar .search input')?.focus() },
  { key: 'j', text: 'Next step, or next row of a list', run: () => move(1) },
  { key: 'k', text: 'Previous step, or previous row', run: () => move(-1) },
  { key: 'f', text: 'To what failed, and to the next of it', run: failure },
  { key: 'g b', text: 'Builds of this repository', run: () => document.querySelector('[data-builds]')?.click() },
  { key: 'g h', text: 'Repositories', run: () => location.assign('/') },
  { key: 'g q', text: 'Queue', run: () => location.assign('/queue') },
  { key: 'g d', text: 'Manual', run: () => location.assign('/docs') },
  { key: 'Esc', text: 'Close what is open, or leave a field', run: leave },
];

// How long the second key of a pair may take, in milliseconds.
const patience = 1500;

let first = '';
let since = 0;

export function startKeys() {
  document.addEventListener('keydown', press);
}

function press(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing || e.defaultPrevented) return;
  const key = e.key === 'Escape' ? 'Esc' : e.key;
  if (key !== 'Esc' && (e.target.closest('input, textarea, select, [contenteditable]') || document.querySelector('dialog[open], [popover]:popover-open'))) return;
  const pair = first && e.timeStamp - since < patience ? `${first} ${key}` : key;
  first = '';
  const found = keys.find((k) => k.key === pair) ?? keys.find((k) => k.key === key);
  if (found) {
    if (key !== 'Esc') e.preventDefault();
    found.run();
  } else if (keys.some((k) => k.key.startsWith(`${key} `))) {
    first = key;
    since = e.timeStamp;
  }
}

// move goes to the next step of a build, or gives the focus to the next row.
function move(by) {
  const steps = [...document.querySelectorAll('.steps a')];
  const rows = steps.length ? steps : [...document.querySelectorAll('main .list .name[href]')];
  const held = rows.findIndex((a) => (steps.length ? a.hasAttribute('aria-current') : a === document.activeElement));
  const to = rows[held < 0 ? (by > 0 ? 0 : rows.length - 1) : held + by];
  if (!to) return;
  to.focus();
  if (steps.length) to.click();
}

// leave leaves a field. What is open the browser closes, and puts the focus back.
function leave() {
  const field = document.activeElement?.closest('input, textarea, select');
  if (!document.querySelector('dialog[open], [popover]:popover-open')) field?.blur();
}

// failure opens the failed step of a build, or goes to the failed row of a list;
// from one of them to the next, or from the only one to the line that says why.
function failure() {
  const steps = [...document.querySelectorAll('.steps a:is(.st-failure, .st-error)')];
  if (steps.length) {
    const next = steps[(steps.findIndex((a) => a.hasAttribute('aria-current')) + 1) % steps.length];
    const line = next.hasAttribute('aria-current') && document.getElementById('failure');
    (line || next).click();
    return;
  }
  const rows = [...document.querySelectorAll('main .item:has(> .s-failure, > .s-error) .name')];
  rows[(rows.indexOf(document.activeElement) + 1) % rows.length]?.focus();
}

function help() {
  let box = document.getElementById('keys');
  if (!box) {
    box = document.createElement('dialog');
    box.id = 'keys';
    box.className = 'confirm';
    box.setAttribute('aria-labelledby', 'keys-h');
    box.innerHTML = '<h2 id="keys-h">Keys</h2><dl class="keys"></dl><form method="dialog" class="actions"><button>Close</button></form>';
    for (const k of keys) {
      const row = document.createElement('div');
      const dt = row.appendChild(document.createElement('dt'));
      for (const one of k.key.split(' ')) dt.appendChild(document.createElement('kbd')).textContent = one;
      row.appendChild(document.createElement('dd')).textContent = k.text;
      box.querySelector('dl').append(row);
    }
    document.body.append(box);
  }
  box.showModal();
}
