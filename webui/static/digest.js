// The digest's link leads to a row of the log below it, which is on the page
// already: it changes only what the address ends with, to which the log listens.
document.addEventListener('click', (e) => {
  if (e.target.id === 'copy-failure') copy(e.target);
  const link = e.target.closest('.digest-title a');
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || !document.getElementById('log')) return;
  e.preventDefault();
  if (location.hash === link.hash) dispatchEvent(new HashChangeEvent('hashchange'));
  location.hash = link.hash;
});

// Browsers have a clipboard where the address is safe from others: with https, or
// on this machine.
document.documentElement.classList.toggle('clipboard', Boolean(navigator.clipboard));

// copy copies why a step failed, and where that is to be seen.
async function copy(button) {
  const digest = button.closest('.digest');
  const title = digest.querySelector('.digest-title');
  const rows = [...digest.querySelectorAll('.digest-rows .t')].map((t) => t.textContent);
  try {
    await navigator.clipboard.writeText([title.textContent, ...rows, title.querySelector('a')?.href ?? location.href].join('\n'));
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Not copied';
  }
}
