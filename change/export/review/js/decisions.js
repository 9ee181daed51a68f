// Decisions: what was said of each suspect, kept in the browser and saved as a file.
'use strict';

(function (review) {
  const { data, words } = review;
  const FORMAT = 'orthowatch-decisions';
  const VERSION = 1;
  const PREFIX = `orthowatch/${data.run_id}/`;
  const REVIEWER = 'orthowatch/reviewer';
  const LONGEST = 2000;

  const given = new Map();
  for (const suspect of data.suspects) {
    if (suspect.decision) given.set(suspect.id, { id: suspect.id, ...suspect.decision });
  }
  const rows = new Map(given);
  const past = [];
  let kept = true;
  let reviewer = '';

  function start() {
    try {
      for (let i = 0; i < localStorage.length; i += 1) {
        const key = localStorage.key(i);
        if (key.startsWith(PREFIX)) recall(key, localStorage.getItem(key));
      }
      reviewer = localStorage.getItem(REVIEWER) || '';
      // Reading may be allowed where writing is not.
      localStorage.setItem(`${PREFIX}?`, '');
      localStorage.removeItem(`${PREFIX}?`);
    } catch (error) {
      kept = false;
    }
  }

  function recall(key, text) {
    try {
      const row = checked(JSON.parse(text));
      if (row && PREFIX + row.id === key) rows.set(row.id, row);
    } catch (error) {
      // Not ours, or cut off: as if nothing had been said.
    }
  }

  // One entry a suspect: two windows of the same page do not undo each other's work.
  function keep(id) {
    try {
      if (rows.has(id)) localStorage.setItem(PREFIX + id, JSON.stringify(rows.get(id)));
      else localStorage.removeItem(PREFIX + id);
      kept = true;
    } catch (error) {
      kept = false;
    }
  }

  function put(id, row) {
    if (row) rows.set(id, row);
    else rows.delete(id);
    keep(id);
  }

  function now() {
    const time = new Date();
    const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, '0');
    const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
    const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
    // The inspector's own day counts, so the time is local and says how far off UTC.
    const off = -time.getTimezoneOffset();
    return `${day}T${clock}${off < 0 ? '-' : '+'}${two(off / 60)}:${two(off % 60)}`;
  }

  function decide(id, answer, dismissal) {
    past.push([[id, rows.get(id)]]);
    const note = rows.has(id) ? rows.get(id).note : '';
    put(id, { id, answer, dismissal: dismissal || null, note, by: reviewer, at: now() });
  }

  function note(id, text) {
    const row = rows.get(id) || { id, answer: data.answers[0], dismissal: null, by: reviewer };
    put(id, { ...row, note: text.slice(0, LONGEST), at: now() });
  }

  function undo() {
    const step = past.pop();
    if (!step) return null;
    for (const [id, row] of step) put(id, row);
    return step[0][0];
  }

  // What would be lost without the row: an answer, a note, or that an earlier answer is void.
  function worthSaving(row) {
    return row.answer !== data.answers[0] || row.note !== '' || given.has(row.id);
  }

  function content() {
    const order = [...rows.keys()].sort();
    const decisions = order.map((id) => rows.get(id)).filter(worthSaving);
    return { format: FORMAT, version: VERSION, run_id: data.run_id, decisions };
  }

  function text(value) {
    return typeof value === 'string' ? value.slice(0, LONGEST) : '';
  }

  function checked(row) {
    if (!row || typeof row.id !== 'string' || !data.answers.includes(row.answer)) return null;
    const dismissed = row.answer === 'dismissed';
    if (dismissed && !data.dismissals.includes(row.dismissal)) return null;
    return {
      id: row.id,
      answer: row.answer,
      dismissal: dismissed ? row.dismissal : null,
      note: text(row.note),
      by: text(row.by),
      at: text(row.at),
    };
  }

  // Returns what to tell the person; throws an Error that tells it where the file is of no use.
  function load(source) {
    const found = read(source);
    const step = [];
    for (const row of found) {
      const here = rows.get(row.id);
      if (here && Date.parse(here.at) > Date.parse(row.at)) continue;
      step.push([row.id, here]);
      put(row.id, row);
    }
    if (step.length) past.push(step);
    return words.word('loaded', { count: step.length, kept: found.length - step.length });
  }

  function read(source) {
    const refuse = (why) => new Error(words.word('not_decisions', { why }));
    let file;
    try {
      file = JSON.parse(source.replace(/^\ufeff/, ''));
    } catch (error) {
      throw refuse(words.word('not_json'));
    }
    if (!file || file.format !== FORMAT || file.version !== VERSION || !Array.isArray(file.decisions)) {
      throw refuse(words.word('other_format'));
    }
    if (file.run_id !== data.run_id) {
      const theirs = String(file.run_id).slice(0, 40);
      throw new Error(words.word('other_run', { theirs, ours: data.run_id }));
    }
    return file.decisions.map((row, place) => {
      const found = checked(row);
      if (!found) throw refuse(words.word('row_unknown', { number: place + 1 }));
      return found;
    });
  }

  function save() {
    const told = content();
    const file = `decisions-${data.run_id}.json`;
    const link = document.createElement('a');
    const blob = new Blob([`${JSON.stringify(told, null, 1)}\n`], { type: 'application/json' });
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    return words.word('saved', { count: told.decisions.length, file });
  }

  function sign(name) {
    reviewer = name.trim().slice(0, LONGEST);
    try {
      localStorage.setItem(REVIEWER, reviewer);
    } catch (error) {
      kept = false;
    }
  }

  function onOtherWindow(changed) {
    window.addEventListener('storage', (event) => {
      if (!event.key || !event.key.startsWith(PREFIX)) return;
      const id = event.key.slice(PREFIX.length);
      if (event.newValue === null) rows.delete(id);
      else recall(event.key, event.newValue);
      changed();
    });
  }

  function answer(id) {
    return rows.has(id) ? rows.get(id).answer : data.answers[0];
  }

  function counts() {
    const told = Object.fromEntries(data.answers.map((name) => [name, 0]));
    for (const suspect of data.suspects) told[answer(suspect.id)] += 1;
    return told;
  }

  review.decisions = {
    start, decide, note, undo, load, save, sign, answer, counts, onOtherWindow,
    of: (id) => rows.get(id),
    reviewer: () => reviewer,
    isKept: () => kept,
  };
})(window.review);
