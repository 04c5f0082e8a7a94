// The digest's link leads to a row of the log below it, which is on the page
// already: it changes only what the address ends with, to which the log listens.
document.addEventListener('click', (e) => {
  const link = e.target.closest('.digest-title a');
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || !document.getElementById('log')) return;
  e.preventDefault();
  if (location.hash === link.hash) dispatchEvent(new HashChangeEvent('hashchange'));
  location.hash = link.hash;
});
