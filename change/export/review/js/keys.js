// Keys: one keystroke an answer, wherever on the page the person is, except where they write.
'use strict';

(function (review) {
  const { triage, picture, divider, byId } = review;
  const WRITING = 'textarea, select, input';
  const PRESSED = 'button, summary, a';

  function start({ step, undo }) {
    const answers = {
      1: 'confirm', c: 'confirm', 2: 'dismiss', d: 'dismiss', 3: 'unsure', u: 'unsure', 0: 'reopen',
    };
    const moves = {
      n: () => step(1), j: () => step(1), arrowdown: () => step(1),
      p: () => step(-1), k: () => step(-1), arrowup: () => step(-1),
      arrowleft: () => divider.move(-2), arrowright: () => divider.move(2),
      '+': () => picture.zoom(0.5), '=': () => picture.zoom(0.5), '-': () => picture.zoom(-0.5),
    };
    const acts = {
      z: undo,
      f: picture.flicker,
      s: () => picture.use('swipe'),
      o: picture.toggleOutline,
      x: picture.fit,
      m: () => byId('note').focus(),
      '/': () => byId('search').focus(),
      '?': () => byId('keys').showModal(),
    };
    const pans = {
      arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1],
    };
    document.addEventListener('keydown', (event) => {
      const act = chosen(event, { answers, moves, acts, pans });
      if (!act) return;
      event.preventDefault();
      act();
    });
  }

  function chosen(event, { answers, moves, acts, pans }) {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
    if (target.closest(WRITING)) {
      return event.key === 'Escape' ? () => target.blur() : null;
    }
    const key = event.key.toLowerCase();
    if (event.shiftKey && Object.hasOwn(pans, key)) return () => picture.pan(...pans[key]);
    if (Object.hasOwn(moves, key)) return moves[key];
    // A key held down must not answer for one suspect after another.
    if (event.repeat) return null;
    if (key === ' ') return target.closest(PRESSED) ? null : picture.flip;
    if (Object.hasOwn(answers, key)) return () => triage.give(answers[key]);
    return Object.hasOwn(acts, key) ? acts[key] : null;
  }

  review.keys = { start };
})(window.review);
