// True colours of a log's text. The policy of these pages allows no style in
// their HTML, so each comes in an attribute: that of text in the light theme and
// in the dark one, or that of a ground and of the text on it. Without this the
// nearest of 256 colours is seen.

const coloured = '[data-fg], [data-bg]';

function dress(el) {
  const { fg, bg } = el.dataset;
  if (bg) {
    [el.style.backgroundColor, el.style.color] = bg.split(' ');
  } else {
    el.style.color = `light-dark(${fg.replace(' ', ', ')})`;
  }
}

export function startColors(root) {
  for (const el of root.querySelectorAll(coloured)) dress(el);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const el of addedNodes) {
        if (el.nodeType !== Node.ELEMENT_NODE) continue;
        if (el.matches(coloured)) dress(el);
        for (const inner of el.querySelectorAll(coloured)) dress(inner);
      }
    }
  }).observe(root, { childList: true, subtree: true });
}
