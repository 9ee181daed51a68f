// Picture: one suspect before and after, in the pixels of its pictures, with its outline.
'use strict';

(function (review) {
  const { data, words, byId } = review;
  const FLICKER_MS = 700;
  const PAN_PX = 80;
  const MOST_SCALE_PX = 120;
  const ROLES = ['before', 'after'];
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  const state = { mode: 'swipe', seen: 'after', outline: true };
  const layers = { before: null, after: null, outline: null };
  let map = null;
  let suspect = null;
  let ticking = 0;
  let changed = () => {};

  function start(onChange) {
    changed = onChange;
    map = L.map('map', {
      crs: L.CRS.Simple,
      minZoom: -4,
      maxZoom: 5,
      zoomSnap: 0.25,
      zoomDelta: 0.5,
      // The pictures are cut where the divider is; while Leaflet animates, that cannot keep pace.
      zoomAnimation: false,
      fadeAnimation: false,
      inertia: !calm.matches,
      zoomControl: false,
      attributionControl: false,
      // The keys of the page are its own.
      keyboard: false,
    });
    for (const role of ROLES) map.createPane(role).style.zIndex = role === 'before' ? 210 : 220;
    map.on('move zoom resize', cut);
    map.on('zoom', scale);
    map.setView([0, 0], 0);
    new ResizeObserver(() => {
      map.invalidateSize({ pan: false });
      fit();
    }).observe(byId('frame'));
  }

  function show(next) {
    suspect = next;
    for (const name of Object.keys(layers)) {
      if (layers[name]) layers[name].remove();
      layers[name] = null;
    }
    note('');
    if (!suspect) return redraw();
    for (const role of suspect.roles) layers[role] = overlay(role);
    if (!suspect.roles.length) note(words.word('no_picture'));
    drawOutline();
    fit();
    return redraw();
  }

  function bounds() {
    return [[-suspect.side_px, 0], [0, suspect.side_px]];
  }

  function address(of, role) {
    return `${data.pictures}${encodeURIComponent(of.id)}_${role}.jpg`;
  }

  function overlay(role) {
    const options = { pane: role, alt: label(role), className: 'chip' };
    const made = L.imageOverlay(address(suspect, role), bounds(), options);
    made.on('error', () => note(words.word('picture_missing')));
    return made.addTo(map);
  }

  // So that the next one is there when it is asked for.
  function prepare(next) {
    for (const role of next.roles) new Image().src = address(next, role);
  }

  function drawOutline() {
    const rings = suspect.outline.map((ring) => ring.map(([x, y]) => [-y, x]));
    const line = { fill: false, interactive: false };
    layers.outline = L.layerGroup([
      L.polygon(rings, { ...line, color: '#000', opacity: 0.55, weight: 5 }),
      L.polygon(rings, { ...line, color: '#ffd84d', weight: 2.5 }),
    ]);
  }

  function redraw() {
    const both = isDouble();
    if (layers.outline) {
      if (state.outline) layers.outline.addTo(map);
      else layers.outline.remove();
    }
    for (const role of ROLES) {
      const away = both && state.mode !== 'swipe' && state.seen !== role;
      map.getPane(role).style.visibility = away ? 'hidden' : '';
    }
    byId('divider').hidden = !(both && state.mode === 'swipe');
    days(both);
    cut();
    scale();
    changed();
  }

  function days(both) {
    const roles = suspect ? suspect.roles : [];
    const shown = both && state.mode !== 'swipe' ? [state.seen] : roles;
    byId('left-day').textContent = shown.length ? label(shown[0]) : '';
    byId('right-day').textContent = shown.length > 1 ? label(shown[1]) : '';
    byId('map').setAttribute('aria-label', shown.length ? shown.map(label).join(', ') : words.word('no_picture'));
  }

  function label(role) {
    const flown = suspect.values[`flown_${role}`] || (data.flights[role] || {}).flown_on;
    const name = Object.keys(data.flights).length === 1 ? 'flight' : role;
    return `${words.word(name)} · ${flown || words.word('day_unknown')}`;
  }

  function isDouble() {
    return suspect !== null && suspect.roles.length === 2;
  }

  function cut() {
    const pane = map.getPane('after');
    if (!isDouble() || state.mode !== 'swipe') {
      pane.style.clipPath = '';
      return;
    }
    const size = map.getSize();
    const start = map.containerPointToLayerPoint([review.divider.share() * size.x, 0]);
    const end = map.containerPointToLayerPoint([size.x, size.y]);
    const corners = [[start.x, start.y], [end.x, start.y], [end.x, end.y], [start.x, end.y]];
    pane.style.clipPath = `polygon(${corners.map(([x, y]) => `${x}px ${y}px`).join(',')})`;
  }

  function scale() {
    byId('scale').hidden = !suspect;
    if (!suspect) return;
    const pixels = 2 ** map.getZoom() / suspect.pixel_m;
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
    const metres = steps.filter((step) => step * pixels <= MOST_SCALE_PX).pop() || steps[0];
    byId('scale').firstElementChild.style.width = `${metres * pixels}px`;
    byId('scale').firstElementChild.textContent = `${metres} m`;
  }

  function fit() {
    if (suspect) map.fitBounds(bounds(), { animate: false });
  }

  function note(text) {
    byId('picture-note').textContent = text;
    byId('picture-note').hidden = !text;
  }

  function use(mode) {
    clearInterval(ticking);
    ticking = 0;
    state.mode = mode;
    redraw();
  }

  function flip() {
    if (!isDouble()) return;
    state.seen = state.seen === 'after' ? 'before' : 'after';
    use('flip');
  }

  // Slower than what harms (WCAG 2.3.1); whoever wants no motion gets one change a keystroke.
  function flicker() {
    if (!isDouble()) return;
    if (calm.matches) {
      flip();
    } else if (ticking) {
      use('flip');
    } else {
      use('flicker');
      ticking = setInterval(() => {
        state.seen = state.seen === 'after' ? 'before' : 'after';
        redraw();
      }, FLICKER_MS);
    }
  }

  function toggleOutline() {
    state.outline = !state.outline;
    redraw();
  }

  review.picture = {
    start, show, prepare, redraw, cut, use, flip, flicker, toggleOutline, fit, isDouble,
    state,
    zoom: (by) => map.zoomIn(by),
    pan: (right, down) => map.panBy([right * PAN_PX, down * PAN_PX], { animate: false }),
  };
})(window.review);
