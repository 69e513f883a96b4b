"""How the report looks, by day and by night."""

STYLE = """
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#22252b;--soft:#6a7079;
--line:#e3e1da;--train:#3f6fb5;--made:#a9c3e8;--val:#e0a03a;--test:#4c9a6b;--bad:#b3392f;
--bad-paper:#fbeae7;--good:#2f7a4d;--good-paper:#e8f4ec}
@media(prefers-color-scheme:dark){:root{--paper:#16181c;--card:#1e2126;--ink:#e7e5df;--soft:#979da6;
--line:#30343b;--train:#6d9ae0;--made:#3d5780;--val:#e3b05c;--test:#6cba8c;--bad:#ef8d83;
--bad-paper:#3a2220;--good:#82cc9f;--good-paper:#1d3226}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;margin:0 0 16px;letter-spacing:-.01em}
h2{font-size:18px;margin:0 0 10px}
h3{font-size:14px;margin:14px 0 4px;font-weight:600}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;
margin-top:18px}
.tiles{display:flex;flex-wrap:wrap;gap:12px}
.tiles div{flex:1 1 120px;background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:12px 16px}
.tiles b{display:block;font-size:26px;font-variant-numeric:tabular-nums;line-height:1.2}
.tiles span{color:var(--soft);font-size:13px}
p{margin:0 0 10px}p:last-child{margin-bottom:0}
.fault,.advice,.good{padding:8px 12px;border-radius:8px;border-left:4px solid var(--val);
background:var(--card);margin-top:10px}
.fault{border-color:var(--bad);background:var(--bad-paper)}
.good{border-color:var(--good);background:var(--good-paper)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:500;white-space:nowrap}
th,td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:middle}
td{overflow-wrap:anywhere}
.numbers td:not(:first-child),.numbers th:not(:first-child){text-align:right;
font-variant-numeric:tabular-nums}
.numbers td:first-child{white-space:nowrap}
.numbers td:last-child{text-align:left;padding-left:14px}
.bar{display:flex;height:14px;min-width:180px;border-radius:4px;overflow:hidden}
.bar i{display:block;height:100%}
i.train{background:var(--train)}i.made{background:var(--made)}i.val{background:var(--val)}
i.test{background:var(--test)}
.legend{margin-top:10px;color:var(--soft);font-size:13px}
.legend span{margin-right:16px;white-space:nowrap}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.twins{display:flex;flex-wrap:wrap;gap:8px;align-items:flex-start;padding:10px 0;
border-top:1px solid var(--line)}
.pairs{display:flex;flex-wrap:wrap;gap:0 28px}
figure{margin:0;width:108px}
figure img{display:block;width:108px;height:108px;object-fit:contain;background:var(--line);
border-radius:6px;border:2px solid transparent}
figure.kept img{border-color:var(--good)}
figcaption{font-size:12px;color:var(--soft);text-align:center;margin-top:2px}
figure.kept figcaption{color:var(--good);font-weight:600}
.more{align-self:center;color:var(--soft);font-size:13px}
details summary{cursor:pointer;color:var(--soft)}
kbd,code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;
font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
"""
