// Tells the reader when a build that they watch has ended. Nothing is asked of
// them before they press the button.

const key = () => `watch:${location.pathname.replace(/^(\/repos\/[^/]+\/[^/]+\/builds\/\d+).*/, '$1')}`;

function show() {
  const button = document.getElementById('watch');
  if (!button) return;
  button.hidden = false;
  const on = sessionStorage.getItem(key()) !== null && Notification.permission === 'granted';
  button.setAttribute('aria-pressed', String(on));
}

async function toggle(button) {
  if (sessionStorage.getItem(key()) !== null) {
    sessionStorage.removeItem(key());
  } else if (await Notification.requestPermission() === 'granted') {
    sessionStorage.setItem(key(), '1');
  } else {
    button.textContent = 'This browser shows no notifications';
  }
  show();
}

function ended(e) {
  const watched = sessionStorage.getItem(key()) !== null;
  sessionStorage.removeItem(key());
  document.getElementById('watch')?.remove();
  if (!watched || Notification.permission !== 'granted') return;
  const note = new Notification(e.detail.title, { icon: e.detail.icon, tag: key() });
  note.addEventListener('click', () => { window.focus(); note.close(); });
}

export function startNotify() {
  if (!('Notification' in window)) return;
  show();
  document.addEventListener('click', (e) => {
    const button = e.target.closest('#watch');
    if (button) toggle(button);
  });
  document.addEventListener('build-ended', ended);
  document.addEventListener('page-shown', show);
}
