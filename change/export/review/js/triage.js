// Triage: the answers a person gives, and the reasons asked for where one is needed.
'use strict';

(function (review) {
  const { data, words, byId, element, keyMark } = review;
  const ANSWERS = { confirm: 'confirmed', dismiss: 'dismissed', unsure: 'unsure', reopen: 'open' };
  const DIGITS = '1234567890';
  const dialog = byId('reasons');
  let decide = () => {};

  function start(onDecide) {
    decide = onDecide;
    for (const name of Object.keys(ANSWERS)) byId(name).addEventListener('click', () => give(name));
    byId('reasons-close').addEventListener('click', () => dialog.close());
    dialog.addEventListener('keydown', onKey);
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  function fill() {
    byId('reason-list').replaceChildren(
      ...data.dismissals.map((slug, place) => {
        const button = element('button', '', words.slug('dismissal', slug));
        button.type = 'button';
        if (DIGITS[place]) {
          button.append(keyMark(DIGITS[place]));
          button.setAttribute('aria-keyshortcuts', DIGITS[place]);
        }
        button.addEventListener('click', () => dismiss(slug));
        return button;
      })
    );
  }

  function give(name) {
    if (name === 'dismiss') dialog.showModal();
    else decide(ANSWERS[name], null);
  }

  function dismiss(slug) {
    dialog.close();
    decide('dismissed', slug);
  }

  function onKey(event) {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const place = event.key.length === 1 ? DIGITS.indexOf(event.key) : -1;
    const buttons = [...byId('reason-list').children];
    const at = buttons.indexOf(document.activeElement);
    if (place >= 0 && place < data.dismissals.length) dismiss(data.dismissals[place]);
    else if (event.key === 'ArrowDown') buttons[(at + 1) % buttons.length].focus();
    else if (event.key === 'ArrowUp') buttons[(at - 1 + buttons.length) % buttons.length].focus();
    else return;
    event.preventDefault();
  }

  review.triage = { start, fill, give, answerOf: (name) => ANSWERS[name] };
})(window.review);
