// Walks through the page step by step. The page is XML: this file has neither of its two special characters.
(function () {
  var steps = Array.from(document.querySelectorAll('.step')), now = 0;
  if (steps.length === 0) { return; }
  var body = document.body, find = function (id) { return document.getElementById(id); };
  function show(i, scroll) {
    now = Math.max(0, Math.min(steps.length - 1, i));
    document.querySelectorAll('.shown, .here').forEach(function (e) { e.classList.remove('shown', 'here'); });
    var step = steps[now], path = step.closest('.path');
    step.classList.add('shown');
    path.classList.add('shown');
    path.querySelectorAll('[data-step="' + step.dataset.step + '"]').forEach(function (e) {
      if (e !== step) { e.classList.add('here'); }
    });
    find('at').textContent = step.dataset.at;
    find('back').disabled = now === 0;
    find('next').disabled = now === steps.length - 1;
    if (scroll) { (body.classList.contains('all') ? step : path).scrollIntoView({block: 'nearest'}); }
  }
  find('back').onclick = function () { show(now - 1, true); };
  find('next').onclick = function () { show(now + 1, true); };
  find('all').onclick = function () {
    var all = body.classList.toggle('all');
    find('all').textContent = all ? 'one by one' : 'show all';
    show(now, true);
  };
  document.addEventListener('keydown', function (e) {
    if (e.key === 'ArrowLeft') { show(now - 1, true); }
    if (e.key === 'ArrowRight') { show(now + 1, true); }
  });
  body.classList.add('walking');
  show(0, false);
})();
