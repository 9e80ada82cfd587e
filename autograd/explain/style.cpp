#include <autograd/explain/page.hpp>

namespace xgrad::detail {

const char* const explain_style = R"(
:root{--up:#1f5fa8;--local:#b4401a;--down:#1d7a45;--line:#d8dee4;--pale:#57606a}
*{box-sizing:border-box}
body{margin:0;background:#f6f7f9;color:#1f2328;font:17px/1.55 system-ui,'DejaVu Sans',sans-serif}
main{max-width:800px;margin:0 auto;padding:28px 18px 110px}
h1{font-size:30px;line-height:1.2;margin:8px 0 14px}
h2{font-size:22px;margin:38px 0 8px}
h3{font-size:18px;margin:26px 0 8px}
h4{font-size:17px;margin:0 0 8px}
p{margin:8px 0}
small,.pale{color:var(--pale);font-weight:400}
.lead{font-size:19px}
.rule{background:#fff;border:1px solid var(--line);border-radius:10px;padding:14px 18px;text-align:center;font-size:19px;overflow-x:auto}
data{white-space:nowrap;font-variant-numeric:tabular-nums}
.tail{display:none}.more::after{content:'…';color:var(--pale)}
body:has(#digits:checked) .tail{display:inline;color:#8c959f;font-size:85%}
body:has(#digits:checked) .more::after{content:''}
body:has(#digits:checked) data{white-space:normal;overflow-wrap:anywhere}
.up{color:var(--up)}.local{color:var(--local)}.down{color:var(--down)}
.key{display:flex;flex-wrap:wrap;gap:8px 20px;padding:0;list-style:none}
.step,.box{background:#fff;border:1px solid var(--line);border-radius:10px;padding:14px 18px;margin:12px 0}
.where{float:right;margin-left:14px;font-size:14px;color:var(--pale)}
.formula{font-size:19px;margin:4px 0 8px}
.eq{display:flex;flex-wrap:wrap;align-items:stretch;gap:6px 10px;margin:12px 0 6px;padding:0;list-style:none}
.eq li{display:flex;flex-direction:column;justify-content:center}
.eq .number{border:1px solid currentColor;border-radius:8px;padding:5px 12px;min-width:104px;font-size:18px;font-weight:600;background:#fff}
.eq .number small{display:block;font-size:12px;color:inherit}
.eq .sign{font-size:20px}
.measured{font-size:15px;color:var(--pale);margin:6px 0 0}
.meet{border-left:3px solid #d9a300;padding-left:12px;margin:12px 0 0;font-size:16px}
.route{display:flex;flex-wrap:wrap;gap:4px 6px;align-items:center;padding:0;list-style:none;font-size:15px}
.route li{border:1px solid var(--line);border-radius:14px;padding:1px 10px;background:#fff}
.route .by{border:0;padding:0;background:none;font-size:14px}
.route .here{background:#fff3d6;border-color:#d9a300}
table{border-collapse:collapse;width:100%;background:#fff;border:1px solid var(--line);border-radius:10px}
td,th{padding:7px 14px;text-align:left;border-top:1px solid var(--line);vertical-align:top}
th{font-weight:600}td:last-child{text-align:right}td:first-child{white-space:nowrap}
.total td{border-top:2px solid #1f2328;font-weight:600}
details{margin:16px 0}summary{cursor:pointer}
img{display:block;max-width:100%;height:auto;margin:12px auto;border:1px solid var(--line);border-radius:10px}
#walk{display:none}
.walking #walk{display:flex;position:fixed;left:0;right:0;bottom:0;justify-content:center;align-items:center;gap:10px;padding:10px;background:#fff;border-top:1px solid var(--line)}
button{font:inherit;white-space:nowrap;font-size:16px;padding:7px 15px;border:1px solid #8c959f;border-radius:8px;background:#fff;cursor:pointer}
button:disabled{opacity:.35;cursor:default}
#next{background:#1f5fa8;border-color:#1f5fa8;color:#fff}
#at{min-width:150px;text-align:center;font-size:15px}
.walking:not(.all) .path,.walking:not(.all) .step{display:none}
.walking:not(.all) .path.shown,.walking:not(.all) .step.shown{display:block}
@media(max-width:560px){body{font-size:16px}h1{font-size:25px}main{padding:18px 12px 110px}.eq .number{min-width:0}#at{min-width:96px;font-size:13px}.where{float:none;display:block;margin:0}button{padding:7px 10px}}
)";

// Free of the two characters that mean something in XML.
const char* const explain_script = R"(
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
)";

}  // namespace xgrad::detail
