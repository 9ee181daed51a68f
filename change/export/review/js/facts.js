// Facts: what is known of the suspect chosen, in words and numbers.
'use strict';

(function (review) {
  const { data, words, decisions, byId, element } = review;
  const SHARES = ['score', 'permit_cover'];
  const LISTS = ['reasons', 'not_judged'];
  const FIGURES = ['area_m2', 'height_gain_m', 'score', 'severity'];
  const SAID_ABOVE = [...FIGURES, 'reason'];
  const LINKS = /^(https:\/\/|geo:)/;

  function show(suspect) {
    byId('suspect').classList.toggle('empty', !suspect);
    if (!suspect) return;
    const values = suspect.values;
    byId('name').textContent = `${words.column('number')} ${suspect.number} · ${words.slug('kind', values.kind)}`;
    byId('relation').textContent = [words.slug('reason', values.reason), permit(values)]
      .filter(Boolean)
      .join(' · ');
    byId('why').textContent = suspect.why[words.language()] || '';
    byId('figures').replaceChildren(...FIGURES.map((name) => figure(name, values[name], 1)));
    place(suspect);
    all(suspect);
    review.profile.show(suspect);
    decided(suspect);
  }

  function permit(values) {
    return values.permit_number ? `${words.column('permit_number')} ${values.permit_number}` : '';
  }

  // What changes with an answer, apart: a keystroke must not draw everything anew.
  function decided(suspect) {
    const row = decisions.of(suspect.id);
    const answer = decisions.answer(suspect.id);
    const why = row && row.dismissal ? ` (${words.slug('dismissal', row.dismissal)})` : '';
    byId('answer').className = `answer ${answer}`;
    byId('answer').textContent = words.slug('answer', answer) + why;
    for (const name of ['confirm', 'dismiss', 'unsure', 'reopen']) {
      byId(name).setAttribute('aria-pressed', String(review.triage.answerOf(name) === answer));
    }
    if (document.activeElement !== byId('note')) byId('note').value = row ? row.note : '';
    const at = row ? row.at.slice(0, 16).replace('T', ' ') : '';
    const both = row && row.by ? words.word('decided_by', { by: row.by, at }) : at;
    byId('decided-by').textContent = answer === data.answers[0] ? '' : both;
  }

  function figure(name, value, decimals) {
    const box = element('div');
    box.append(element('dt', '', words.column(name)), element('dd', '', told(name, value, decimals) || '–'));
    return box;
  }

  function place(suspect) {
    const line = byId('place');
    const local = `${suspect.x.toFixed(2)}, ${suspect.y.toFixed(2)}`;
    line.replaceChildren(
      element('span', 'value', `${local} (${data.crs})`),
      element('span', 'value', `${suspect.lon.toFixed(6)}, ${suspect.lat.toFixed(6)} (WGS 84)`)
    );
    if (suspect.link && LINKS.test(suspect.link)) {
      const link = element('a', '', words.word('navigate'));
      link.href = suspect.link;
      link.target = '_blank';
      link.rel = 'noopener noreferrer';
      line.append(link);
    }
  }

  function all(suspect) {
    const rows = [[words.column('id'), suspect.id]];
    for (const name of data.columns) {
      const text = SAID_ABOVE.includes(name) ? '' : told(name, suspect.values[name]);
      if (text) rows.push([words.column(name), text]);
    }
    byId('all').replaceChildren(
      ...rows.flatMap(([name, text]) => [element('dt', '', name), element('dd', 'value', text)])
    );
  }

  function told(name, value, decimals = 2) {
    if (value === undefined) return '';
    if (SHARES.includes(name)) return review.percent(value);
    if (name === 'points') return listed(value).map(point).join(', ');
    if (LISTS.includes(name)) return listed(value).map((slug) => words.slug(name, slug)).join(', ');
    if (name === 'nearest_permits' || name === 'protected' || name === 'shared_with') {
      return listed(value).join(', ');
    }
    return typeof value === 'number' ? String(Number(value.toFixed(decimals))) : words.slug(name, value);
  }

  function listed(value) {
    return String(value).split(';').filter(Boolean);
  }

  function point(text) {
    const [slug, points] = text.split(' ');
    return `${words.slug('points', slug)} ${points === undefined ? '' : points}`.trim();
  }

  review.facts = { show, decided };
})(window.review);
