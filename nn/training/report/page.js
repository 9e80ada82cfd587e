// Shows the numbers of the epoch that is pointed at. The page is XML: this file has neither of its two special characters.
(function () {
  var table = document.getElementById('epochs');
  if (!table) { return; }
  var names = Array.from(table.tHead.rows[0].cells, function (cell) { return cell.textContent; });
  var rows = table.tBodies[0].rows, last = rows.length - 1;
  document.querySelectorAll('figure[data-curves]').forEach(function (figure) {
    var frame = figure.querySelector('.frame'), words = figure.querySelector('output');
    var line = document.createElementNS(frame.namespaceURI, 'line');
    line.setAttribute('class', 'pointed');
    function number(of) { return frame[of].baseVal.value; }
    function point(event) {
      var box = frame.getBoundingClientRect();
      var epoch = Math.round(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * last);
      var x = number('x') + number('width') * (last ? epoch / last : 0.5);
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      line.setAttribute('y1', number('y'));
      line.setAttribute('y2', number('y') + number('height'));
      frame.after(line);
      words.textContent = 'epoch ' + (epoch + 1) + ': ' + figure.dataset.curves.split('|').map(function (name, i) {
        var cell = rows[epoch].cells[names.indexOf(name)];
        return (i ? 'validation ' : '') + cell.textContent;
      }).join(', ');
    }
    figure.addEventListener('pointermove', point);
    figure.addEventListener('pointerdown', point);
    figure.addEventListener('pointerleave', function () {
      line.remove();
      words.textContent = '';
    });
  });
})();
