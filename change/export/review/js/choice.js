// Choice: which suspects are shown, and in which order.
'use strict';

(function (review) {
  const { data, words, decisions, byId, element } = review;
  const LABEL_LENGTH = 60;
  const SORTS = {
    number: (a, b) => a.number - b.number,
    severity: (a, b) => falling(a.values.severity, b.values.severity),
    area_m2: (a, b) => falling(a.values.area_m2, b.values.area_m2),
    score: (a, b) => falling(a.values.score, b.values.score),
    township: (a, b) => places.get(a.values.township || '') - places.get(b.values.township || ''),
  };
  const SELECTS = {
    answer: 'by-answer', kind: 'by-kind', reason: 'by-reason', township: 'by-township', team: 'by-team',
  };

  const folded = (text) => String(text).normalize('NFKC').toLowerCase();
  const sought = data.suspects.map((suspect) =>
    folded([suspect.id, suspect.values.permit_number || '', suspect.values.nearest_permits || ''].join('\n'))
  );
  const distinct = { township: new Map(), team: new Map() };
  let places = new Map();
  let order = [];

  function falling(a, b) {
    return (b === undefined ? -Infinity : b) - (a === undefined ? -Infinity : a) || 0;
  }

  function start(changed) {
    for (const name of Object.keys(distinct)) {
      const values = new Set(data.suspects.map((suspect) => suspect.values[name] || ''));
      const collator = new Intl.Collator('zh');
      [...values].sort(collator.compare).forEach((value, place) => distinct[name].set(value, place));
      byId(SELECTS[name]).closest('label').hidden = values.size < 2;
    }
    places = distinct.township;
    fill();
    arrange();
    byId('filters').addEventListener('input', (event) => {
      if (event.target.id === 'sort') arrange();
      changed();
    });
    byId('filters').addEventListener('submit', (event) => event.preventDefault());
    byId('show-all').addEventListener('click', () => {
      reset();
      changed();
    });
  }

  function reset() {
    const sort = byId('sort').value;
    byId('filters').reset();
    byId('sort').value = sort;
  }

  // Fills the menus in the language chosen, and leaves what was chosen.
  function fill() {
    const used = (name) => [...new Set(data.suspects.map((suspect) => suspect.values[name]))];
    const named = (name, slugs) => slugs.map((slug) => [slug, words.slug(name, slug)]);
    const any = [['', words.word('any')]];
    offer('by-answer', [...any, ...named('answer', data.answers)]);
    offer('by-kind', [...any, ...named('kind', used('kind'))]);
    offer('by-reason', [...any, ...named('reason', used('reason'))]);
    for (const [name, values] of Object.entries(distinct)) {
      const rows = [...values].map(([value, place]) => [place, value || words.word('nothing')]);
      offer(SELECTS[name], [...any, ...rows]);
    }
    offer('sort', Object.keys(SORTS).map((name) => [name, words.column(name)]));
    byId('area-label').textContent = words.word('least_area');
    byId('score-label').textContent = `${words.column('score')}, ${words.word('least_score')}`;
  }

  function offer(id, rows) {
    const select = byId(id);
    const chosen = select.value;
    select.replaceChildren(
      ...rows.map(([value, text]) => {
        const option = element('option', '', String(text).slice(0, LABEL_LENGTH));
        option.value = value;
        return option;
      })
    );
    if (chosen) select.value = chosen;
  }

  function arrange() {
    const compare = SORTS[byId('sort').value];
    const all = data.suspects;
    order = all.map((suspect, index) => index);
    order.sort((a, b) => compare(all[a], all[b]) || all[a].number - all[b].number);
  }

  // Returns the indices of the suspects shown, in order.
  function shown() {
    const asked = {};
    for (const [name, id] of Object.entries(SELECTS)) asked[name] = byId(id).value;
    const text = folded(byId('search').value.trim()).replace(/^#/, '');
    const area = Number(byId('least-area').value) || 0;
    const score = (Number(byId('least-score').value) || 0) / 100;
    const fits = (index) => {
      const suspect = data.suspects[index];
      const values = suspect.values;
      return (
        (!asked.answer || decisions.answer(suspect.id) === asked.answer) &&
        (!asked.kind || values.kind === asked.kind) &&
        (!asked.reason || values.reason === asked.reason) &&
        isOf('township', values, asked.township) &&
        isOf('team', values, asked.team) &&
        (values.area_m2 || 0) >= area &&
        (values.score || 0) >= score &&
        (!text || String(suspect.number) === text || sought[index].includes(text))
      );
    };
    return order.filter(fits);
  }

  function isOf(name, values, place) {
    return place === '' || distinct[name].get(values[name] || '') === Number(place);
  }

  review.choice = { start, fill, shown };
})(window.review);
