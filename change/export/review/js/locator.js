// Locator: all suspects as dots on empty ground, north up.
'use strict';

(function (review) {
  const { data, decisions, byId } = review;
  const MARGIN_PX = 10;
  const NEAR_PX = 24;
  const canvas = byId('locator');
  const [west, east] = spread('x');
  const [south, north] = spread('y');
  const wide = Math.max(east - west, 1);
  const high = Math.max(north - south, 1);
  let shown = new Set();
  let chosen = -1;
  let view = { scale: 1, left: 0, top: 0 };

  // Not Math.min(...all): an engine takes only so many arguments at once.
  function spread(axis) {
    let least = Infinity;
    let most = -Infinity;
    for (const suspect of data.suspects) {
      least = Math.min(least, suspect[axis]);
      most = Math.max(most, suspect[axis]);
    }
    return [least, most];
  }

  function start(choose) {
    canvas.addEventListener('click', (event) => {
      const index = nearest(event.offsetX, event.offsetY);
      if (index >= 0) choose(index, true);
    });
    new ResizeObserver(draw).observe(canvas);
  }

  function show(indices, index) {
    shown = new Set(indices);
    chosen = index;
    review.afterPaint('locator', draw);
  }

  function placed(suspect) {
    return [view.left + (suspect.x - west) * view.scale, view.top + (north - suspect.y) * view.scale];
  }

  function nearest(x, y) {
    let best = -1;
    let least = NEAR_PX;
    for (const index of shown) {
      const [left, top] = placed(data.suspects[index]);
      const away = Math.hypot(left - x, top - y);
      if (away < least) [best, least] = [index, away];
    }
    return best;
  }

  function draw() {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const scale = Math.min((width - 2 * MARGIN_PX) / wide, (height - 2 * MARGIN_PX) / high);
    view = { scale, left: (width - wide * scale) / 2, top: (height - high * scale) / 2 };
    const brush = canvas.getContext('2d');
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, height);
    const side = data.suspects.length > 500 ? 3 : 6;
    const colours = getComputedStyle(document.documentElement);
    for (const answer of data.answers) {
      brush.fillStyle = colours.getPropertyValue(`--${answer}`);
      dots(brush, answer, side);
    }
    mark(brush, colours);
  }

  function dots(brush, answer, side) {
    data.suspects.forEach((suspect, index) => {
      if (decisions.answer(suspect.id) !== answer) return;
      const [x, y] = placed(suspect);
      brush.globalAlpha = shown.has(index) ? 1 : 0.2;
      brush.fillRect(x - side / 2, y - side / 2, side, side);
    });
    brush.globalAlpha = 1;
  }

  function mark(brush, colours) {
    if (chosen < 0) return;
    const [x, y] = placed(data.suspects[chosen]);
    for (const [colour, width] of [['#fff', 5], [colours.getPropertyValue('--ink'), 2]]) {
      brush.beginPath();
      brush.arc(x, y, 8, 0, 2 * Math.PI);
      brush.strokeStyle = colour;
      brush.lineWidth = width;
      brush.stroke();
    }
  }

  review.locator = { start, show };
})(window.review);
