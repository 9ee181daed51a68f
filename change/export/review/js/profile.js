// Profile: heights before and after along the longest line, as a drawing.
'use strict';

(function (review) {
  const { words, byId, element } = review;
  const SVG = 'http://www.w3.org/2000/svg';
  const WIDTH = 320;
  const HEIGHT = 130;
  const EDGE = { left: 38, right: 8, top: 8, bottom: 22 };

  function show(suspect) {
    const figure = byId('profile');
    const profile = suspect && suspect.profile;
    figure.querySelectorAll('svg, .legend').forEach((part) => part.remove());
    const heights = profile ? [...profile.before_m, ...profile.after_m].filter((h) => h !== null) : [];
    figure.hidden = heights.length === 0;
    if (!figure.hidden) figure.append(drawing(profile, heights), legend(profile));
  }

  function drawing(profile, heights) {
    const low = Math.floor(Math.min(...heights));
    const high = Math.max(Math.ceil(Math.max(...heights)), low + 1);
    const length = profile.distance_m[profile.distance_m.length - 1] || 1;
    const across = (d) => EDGE.left + (d / length) * (WIDTH - EDGE.left - EDGE.right);
    const down = (h) => EDGE.top + ((high - h) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
    const svg = part('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
    const said = { lowest: low, highest: high, length: length.toFixed(0) };
    svg.setAttribute('aria-label', words.word('profile_said', said));
    for (const height of [low, (low + high) / 2, high]) {
      const y = down(height);
      svg.append(part('line', { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y, y2: y, class: 'rule' }));
      svg.append(written(EDGE.left - 4, y + 4, 'end', height.toFixed(height % 1 ? 1 : 0)));
    }
    svg.append(written(EDGE.left, HEIGHT - 5, 'start', '0'));
    svg.append(written(WIDTH - EDGE.right, HEIGHT - 5, 'end', `${length.toFixed(1)} m`));
    for (const role of ['before', 'after']) {
      const line = trace(profile.distance_m, profile[`${role}_m`], across, down);
      if (line) svg.append(part('path', { d: line, class: `trace ${role}` }));
    }
    return svg;
  }

  // A height that is not known breaks the line.
  function trace(distances, heights, across, down) {
    let pen = 'M';
    let line = '';
    heights.forEach((height, i) => {
      if (height === null) {
        pen = 'M';
        return;
      }
      line += `${pen}${across(distances[i]).toFixed(1)} ${down(height).toFixed(1)}`;
      pen = 'L';
    });
    return line;
  }

  function legend(profile) {
    const line = element('p', 'legend dim');
    for (const role of ['before', 'after']) {
      if (profile[`${role}_m`].some((h) => h !== null)) {
        line.append(element('span', role, words.word(role)));
      }
    }
    return line;
  }

  function written(x, y, anchor, text) {
    const made = part('text', { x, y, 'text-anchor': anchor });
    made.textContent = text;
    return made;
  }

  function part(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  review.profile = { show };
})(window.review);
