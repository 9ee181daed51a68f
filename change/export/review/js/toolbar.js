// Toolbar: the buttons above the picture, and at the top of the page.
'use strict';

(function (review) {
  const { words, decisions, picture, byId, element } = review;
  const KEYS = [
    [['J', 'N', '↓', 'K', 'P', '↑'], 'key_next'],
    [['1', 'C'], 'confirm'],
    [['2', 'D'], 'key_dismiss'],
    [['3', 'U'], 'unsure'],
    [['0'], 'reopen'],
    [['Z'], 'undo'],
    [['␣'], 'key_flip'],
    [['F'], 'flicker'],
    [['S'], 'swipe'],
    [['←', '→'], 'key_divider'],
    [['O'], 'outline'],
    [['+', '−', 'X'], 'fit'],
    [['⇧ ← → ↑ ↓'], 'key_pan'],
    [['M'], 'key_note'],
    [['/'], 'key_search'],
  ];

  function start({ say, changed, step, speak }) {
    const press = (id, act) => byId(id).addEventListener('click', act);
    press('swipe', () => picture.use('swipe'));
    press('flip', picture.flip);
    press('flicker', picture.flicker);
    press('outline', picture.toggleOutline);
    press('zoom-in', () => picture.zoom(0.5));
    press('zoom-out', () => picture.zoom(-0.5));
    press('fit', picture.fit);
    press('next', () => step(1));
    press('previous', () => step(-1));
    press('to-list', () => (document.body.dataset.view = 'list'));
    press('save', () => say(decisions.save()));
    press('load', () => byId('file').click());
    press('language', () => speak(words.other()));
    press('help', () => byId('keys').showModal());
    press('keys-close', () => byId('keys').close());
    byId('keys').addEventListener('keydown', (event) => event.stopPropagation());
    byId('reviewer').value = decisions.reviewer();
    byId('reviewer').addEventListener('input', (event) => decisions.sign(event.target.value));
    byId('file').addEventListener('change', () => load(say, changed));
  }

  async function load(say, changed) {
    const input = byId('file');
    const [file] = input.files;
    if (!file) return;
    try {
      say(decisions.load(await file.text()));
    } catch (error) {
      say(error.message, true);
    }
    // Else the same file could not be chosen twice.
    input.value = '';
    changed();
  }

  function fill() {
    const next = words.other();
    byId('language').textContent = words.nameOf(next);
    byId('language').lang = next.replace('_', '-');
    byId('key-list').replaceChildren(...KEYS.flatMap(([keys, name]) => {
      const cell = element('dt');
      cell.append(...keys.map((key) => element('kbd', 'key', key)));
      return [cell, element('dd', '', words.word(name))];
    }));
  }

  function show() {
    const { mode, outline } = picture.state;
    for (const name of ['swipe', 'flip', 'flicker']) {
      byId(name).setAttribute('aria-pressed', String(mode === name));
    }
    byId('modes').hidden = !picture.isDouble();
    byId('outline').setAttribute('aria-pressed', String(outline));
  }

  review.toolbar = { start, fill, show };
})(window.review);
