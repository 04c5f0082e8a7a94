// On a narrow screen the list of steps is a window of a few lines, so that the
// log begins on the first screen. It shows the selected step.

export function startSteps() {
  const nav = document.querySelector('[data-part="build-steps"]');
  const current = nav?.querySelector('[aria-current]');
  if (!current || nav.scrollHeight <= nav.clientHeight) return;
  const top = current.getBoundingClientRect().top - nav.getBoundingClientRect().top;
  nav.scrollTop += top - (nav.clientHeight - current.offsetHeight) / 2;
}
