// App: which suspect is chosen, and what follows from an answer.
'use strict';

(function (review) {
  const { data, words, decisions, choice, list, locator, facts, picture, divider, triage, toolbar, keys, byId } =
    review;
  const PREPARED = 2;
  const SAY_MS = 5000;
  const ALARM_MS = 20000;
  let shown = [];
  let chosen = -1;
  let fading = 0;

  function start() {
    words.start();
    decisions.start();
    picture.start(toolbar.show);
    divider.start(picture.cut);
    triage.start(answer);
    words.fill();
    choice.start(narrow);
    list.start(choose);
    locator.start(choose);
    toolbar.start({ say, changed: recount, step, speak });
    keys.start({ step, undo });
    byId('undo').addEventListener('click', undo);
    byId('note').addEventListener('input', (event) => {
      if (chosen < 0) return;
      decisions.note(data.suspects[chosen].id, event.target.value);
      warn();
    });
    decisions.onOtherWindow(recount);
    byId('broken').remove();
    byId('top').hidden = false;
    byId('rooms').hidden = false;
    write();
    shown = choice.shown();
    choose(firstOpen(), false);
    list.focus();
  }

  // Everything that holds words, in the language chosen.
  function write() {
    toolbar.fill();
    triage.fill();
    const { before, after } = data.flights;
    const days = [before, after].filter(Boolean).map((f) => f.flown_on || words.word('day_unknown'));
    byId('run').textContent = [days.join(' → '), data.run_id].filter(Boolean).join(' · ');
    const alignment = data.alignment;
    const doubted = alignment !== null && alignment.verdict !== 'verified';
    byId('hint-only').hidden = !doubted;
    if (doubted) {
      const verdict = words.slug('verdict', alignment.verdict);
      byId('hint-only').textContent = `${words.word('hint_only', { verdict })} ${alignment.why}`;
    }
  }

  function speak(language) {
    words.use(language);
    words.fill();
    choice.fill();
    write();
    refresh();
  }

  function refresh() {
    shown = choice.shown();
    show(chosen < 0 ? null : data.suspects[chosen]);
    tell();
  }

  // Answers came from elsewhere; the picture stays as it is.
  function recount() {
    shown = choice.shown();
    if (chosen >= 0) facts.decided(data.suspects[chosen]);
    tell();
  }

  function narrow() {
    shown = choice.shown();
    if (!shown.includes(chosen)) choose(shown.length ? shown[0] : -1, false);
    else tell();
  }

  function choose(index, opened) {
    chosen = index;
    if (opened) document.body.dataset.view = 'suspect';
    show(index < 0 ? null : data.suspects[index]);
    tell();
    const place = shown.indexOf(index);
    const soon = shown.slice(place + 1, place + 1 + PREPARED);
    review.afterPaint('prepare', () => soon.forEach((next) => picture.prepare(data.suspects[next])));
  }

  function show(suspect) {
    facts.show(suspect);
    picture.show(suspect);
  }

  // What every change of answers, filters or choice moves: list, dots, counts.
  function tell() {
    list.show(shown, chosen);
    locator.show(shown, chosen);
    const all = data.suspects.length;
    const counts = decisions.counts();
    const decided = all - counts[data.answers[0]];
    byId('shown').textContent = words.word('shown', { shown: shown.length, all });
    byId('none').hidden = shown.length > 0;
    byId('none').textContent = words.word(all ? 'none_shown' : 'none_at_all');
    const bar = byId('bar');
    const progress = words.word('progress', { decided, all });
    bar.setAttribute('aria-valuemax', all);
    bar.setAttribute('aria-valuenow', decided);
    bar.setAttribute('aria-label', progress);
    bar.firstElementChild.style.width = `${all ? (100 * decided) / all : 0}%`;
    const each = data.answers.slice(1).map((name) => `${words.slug('answer', name)} ${counts[name]}`);
    byId('counts').textContent = [progress, ...each].join(' · ');
    warn();
  }

  function warn() {
    byId('in-memory').hidden = decisions.isKept();
  }

  function answer(name, dismissal) {
    if (chosen < 0) return;
    const suspect = data.suspects[chosen];
    const before = shown.indexOf(chosen);
    decisions.decide(suspect.id, name, dismissal);
    const said = words.word('said', { number: suspect.number, answer: words.slug('answer', name) });
    const next = name === data.answers[0] ? chosen : nextOpen(before);
    shown = choice.shown();
    if (next === chosen) {
      facts.decided(suspect);
      tell();
    } else {
      choose(next, false);
    }
    say(`${said} ${name === data.answers[0] ? '' : nowAt()}`);
    // A button that stays in focus would answer again at the next space bar.
    list.focus();
  }

  function nowAt() {
    if (chosen < 0 || decisions.answer(data.suspects[chosen].id) !== data.answers[0]) {
      return words.word('all_decided');
    }
    const { number, values } = data.suspects[chosen];
    const parts = { number, kind: words.slug('kind', values.kind), relation: words.slug('reason', values.reason) };
    return words.word('now_at', parts);
  }

  // The next one nobody has answered, from there on and then from the start; else stay.
  function nextOpen(place) {
    const around = [...shown.slice(place + 1), ...shown.slice(0, place)];
    const open = around.find((index) => isOpen(index));
    return open === undefined ? chosen : open;
  }

  function firstOpen() {
    const open = shown.find((index) => isOpen(index));
    if (open !== undefined) return open;
    return shown.length ? shown[0] : -1;
  }

  function isOpen(index) {
    return decisions.answer(data.suspects[index].id) === data.answers[0];
  }

  function step(by) {
    const place = shown.indexOf(chosen);
    const next = shown[Math.min(shown.length - 1, Math.max(0, place + by))];
    if (next !== undefined && next !== chosen) choose(next, false);
  }

  function undo() {
    const id = decisions.undo();
    if (id === null) {
      say(words.word('nothing_to_undo'));
      return;
    }
    shown = choice.shown();
    const index = data.suspects.findIndex((suspect) => suspect.id === id);
    if (index >= 0) choose(index, false);
    else tell();
    if (index < 0) return;
    const number = data.suspects[index].number;
    say(words.word('undone', { number, answer: words.slug('answer', decisions.answer(id)) }));
  }

  function say(text, alarming) {
    const said = byId('said');
    said.textContent = text;
    said.className = alarming ? 'warning' : '';
    clearTimeout(fading);
    fading = setTimeout(() => said.classList.add('gone'), alarming ? ALARM_MS : SAY_MS);
  }

  start();
})(window.review);
