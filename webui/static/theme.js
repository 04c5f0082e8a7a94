// Switches the theme without loading the page again. What the server renders
// from the cookie (theme.go) is the same.
export function startTheme() {
  document.querySelector('.theme')?.addEventListener('submit', (e) => {
    const chosen = e.submitter;
    if (!chosen) return;
    e.preventDefault();
    const root = document.documentElement;
    if (chosen.value) root.dataset.theme = chosen.value;
    else delete root.dataset.theme;
    document.querySelector('meta[name="color-scheme"]').content = chosen.value || 'light dark';
    const age = chosen.value ? 365 * 24 * 3600 : 0;
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `slipway-theme=${chosen.value}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
    for (const b of e.target.querySelectorAll('button')) b.setAttribute('aria-pressed', b === chosen);
  });
}
