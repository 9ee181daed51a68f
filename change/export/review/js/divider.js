// Divider: the line between before and after, moved by hand, by touch or by keys.
'use strict';

(function (review) {
  const { byId } = review;
  const STEPS = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10 };
  const handle = byId('divider');
  const frame = byId('frame');
  let percent = 50;
  let moved = () => {};

  function start(onMove) {
    moved = onMove;
    handle.addEventListener('pointerdown', (event) => {
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus({ preventScroll: true });
    });
    handle.addEventListener('pointermove', (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = frame.getBoundingClientRect();
      put(((event.clientX - box.left) / box.width) * 100);
    });
    handle.addEventListener('keydown', (event) => {
      if (event.shiftKey) return;
      if (event.key in STEPS) put(percent + STEPS[event.key]);
      else if (event.key === 'Home') put(0);
      else if (event.key === 'End') put(100);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    put(percent);
  }

  function put(wanted) {
    percent = Math.min(100, Math.max(0, wanted));
    handle.style.left = `${percent}%`;
    handle.setAttribute('aria-valuenow', Math.round(percent));
    moved();
  }

  review.divider = { start, move: (by) => put(percent + by), share: () => percent / 100 };
})(window.review);
