// Words: everything a person reads, in the language chosen. Text only ever becomes text.
'use strict';

window.review = { data: window.orthowatch };

(function (review) {
  const KEPT = 'orthowatch/language';
  const words = review.data.words;
  const languages = Object.keys(words);
  let language = review.data.language;

  function start() {
    try {
      const kept = localStorage.getItem(KEPT);
      if (languages.includes(kept)) language = kept;
    } catch (error) {
      // Storage may be forbidden; then the page opens as it was written.
    }
  }

  function use(name) {
    language = name;
    try {
      localStorage.setItem(KEPT, name);
    } catch (error) {
      // As above.
    }
  }

  function other() {
    return languages[(languages.indexOf(language) + 1) % languages.length];
  }

  function word(name, parts) {
    // A function, because a replacement of text would take "$&" in a value for an instruction.
    return words[language].page[name].replace(/\{(\w+)\}/g, (whole, part) =>
      parts && part in parts ? String(parts[part]) : whole
    );
  }

  function column(name) {
    return words[language].columns[name];
  }

  function slug(name, value) {
    const told = words[language].slugs[name];
    return told && Object.hasOwn(told, value) ? told[value] : String(value);
  }

  function fill() {
    const page = words[language].page;
    document.documentElement.lang = language.replace('_', '-');
    document.title = page.title;
    for (const part of document.querySelectorAll('[data-word]')) {
      part.textContent = page[part.dataset.word];
    }
    for (const part of document.querySelectorAll('[data-column]')) {
      part.textContent = column(part.dataset.column);
    }
    for (const part of document.querySelectorAll('[data-label]')) {
      part.setAttribute('aria-label', page[part.dataset.label]);
      if (part.tagName === 'BUTTON') part.title = page[part.dataset.label];
    }
    for (const part of document.querySelectorAll('[data-placeholder]')) {
      part.placeholder = page[part.dataset.placeholder];
    }
    for (const part of document.querySelectorAll('[data-key]')) {
      part.append(review.keyMark(part.dataset.key));
      part.setAttribute('aria-keyshortcuts', part.dataset.key === '␣' ? 'Space' : part.dataset.key);
    }
  }

  review.element = function (tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  // A picture of a key; whoever listens is told by aria-keyshortcuts.
  review.keyMark = function (key) {
    const mark = review.element('kbd', 'key', key);
    mark.setAttribute('aria-hidden', 'true');
    return mark;
  };
  review.byId = (id) => document.getElementById(id);
  // What can wait until the answer to a keystroke is on the screen; of several the last counts.
  const waiting = new Map();
  review.afterPaint = function (name, act) {
    const first = waiting.size === 0;
    waiting.set(name, act);
    if (!first) return;
    requestAnimationFrame(() =>
      setTimeout(() => {
        const acts = [...waiting.values()];
        waiting.clear();
        for (const each of acts) each();
      })
    );
  };
  // What is not certain is never shown as if it were.
  review.percent = (share) => `${share < 1 ? Math.min(99, Math.round(share * 100)) : 100} %`;
  review.words = {
    start, use, other, word, column, slug, fill,
    language: () => language,
    nameOf: (name) => words[name].page.language,
  };
})(window.review);
