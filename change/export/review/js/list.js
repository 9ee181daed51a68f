// List: only the rows in sight exist, so that thousands scroll as easily as ten.
'use strict';

(function (review) {
  const { data, words, decisions, byId, element } = review;
  const ROW_PX = 56;
  const SPARE = 4;
  const box = byId('list');
  const spacer = byId('spacer');
  const rows = [];
  let shown = [];
  let chosen = -1;
  let awaited = false;
  let height = box.clientHeight;
  let top = 0;

  function start(choose) {
    box.addEventListener('scroll', () => {
      if (awaited) return;
      awaited = true;
      requestAnimationFrame(() => {
        awaited = false;
        top = box.scrollTop;
        draw();
      });
    });
    box.addEventListener('click', (event) => {
      const row = event.target.closest('.row');
      if (row) choose(Number(row.dataset.index), true);
    });
    new ResizeObserver(() => {
      height = box.clientHeight;
      show(shown, chosen);
    }).observe(box);
  }

  // Asking the browser where it has scrolled to makes it lay the page out: so once, at the start.
  function show(indices, index) {
    top = box.scrollTop;
    shown = indices;
    chosen = index;
    spacer.style.height = `${shown.length * ROW_PX}px`;
    top = Math.max(0, Math.min(top, shown.length * ROW_PX - height));
    const place = shown.indexOf(index) * ROW_PX;
    if (place >= 0 && height > 0) bringIn(place);
    draw();
  }

  // The rows above and below are of interest too.
  function bringIn(place) {
    const above = Math.max(0, place - ROW_PX);
    const below = Math.min(place + 2 * ROW_PX, shown.length * ROW_PX) - height;
    const wanted = Math.max(Math.min(top, above), below);
    if (wanted !== top) box.scrollTop = wanted;
    top = wanted;
  }

  function draw() {
    const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
    const last = Math.min(shown.length, Math.ceil((top + height) / ROW_PX) + SPARE);
    let used = 0;
    let active = '';
    for (let place = first; place < last; place += 1) {
      const row = rows[used] || made();
      used += 1;
      fill(row, place);
      if (shown[place] === chosen) active = row.id;
    }
    for (const row of rows.slice(used)) row.hidden = true;
    if (active) box.setAttribute('aria-activedescendant', active);
    else box.removeAttribute('aria-activedescendant');
  }

  function made() {
    const row = element('div', 'row');
    row.id = `row-${rows.length}`;
    row.setAttribute('role', 'option');
    row.append(
      element('span', 'number'), element('span', 'what'), element('span', 'size'),
      element('span', 'where'), element('span', 'answer')
    );
    rows.push(row);
    spacer.append(row);
    return row;
  }

  function fill(row, place) {
    const suspect = data.suspects[shown[place]];
    const values = suspect.values;
    const answer = decisions.answer(suspect.id);
    const [number, what, size, where, said] = row.children;
    const area = values.area_m2 === undefined ? '' : `${Math.round(values.area_m2)} m²`;
    const score = values.score === undefined ? '' : review.percent(values.score);
    row.hidden = false;
    row.dataset.index = shown[place];
    row.style.transform = `translateY(${place * ROW_PX}px)`;
    row.setAttribute('aria-selected', String(shown[place] === chosen));
    row.setAttribute('aria-posinset', place + 1);
    row.setAttribute('aria-setsize', shown.length);
    number.textContent = suspect.number;
    what.textContent = `${words.slug('kind', values.kind)} · ${words.slug('reason', values.reason)}`;
    size.textContent = [area, score].filter(Boolean).join(' · ');
    where.textContent = String(values.township || '').slice(0, 80);
    said.className = `answer ${answer}`;
    said.textContent = answer === data.answers[0] ? '' : words.slug('answer', answer);
  }

  function focus() {
    box.focus({ preventScroll: true });
    // On a phone the list is out of sight and takes no focus.
    if (document.activeElement !== box) document.activeElement.blur();
  }

  review.list = { start, show, focus };
})(window.review);
