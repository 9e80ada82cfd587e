// Sorts the table by the column whose head is clicked.
document.querySelectorAll('th').forEach((head, column) => head.onclick = () => {
  const way = head.dataset.way === '-1' ? 1 : -1;
  document.querySelectorAll('th').forEach(h => delete h.dataset.way);
  head.dataset.way = way;
  const body = document.querySelector('tbody');
  const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
  const order = (a, b) => { const x = key(a), y = key(b), d = x - y; return isNaN(d) ? x.localeCompare(y) : d; };
  [...body.rows].sort((a, b) => way * order(a, b)).forEach(row => body.append(row));
});
