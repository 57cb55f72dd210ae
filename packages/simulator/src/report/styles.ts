/** The report's style sheet. System fonts, two color schemes, print; colors of series are `--s0` to `--s9`. */

/** Colors of series as [light, dark], told apart also by people who see red and green alike. */
const SERIES: readonly (readonly [string, string])[] = [
  ["#5b6472", "#a9b2c0"],
  ["#0b63b8", "#62aef5"],
  ["#c2550a", "#f0934e"],
  ["#7a3fb0", "#bd93ea"],
  ["#0a7d5d", "#45c79d"],
  ["#b0307a", "#ec82bd"],
  ["#8a6a00", "#d6b23c"],
  ["#006f86", "#4fc3dc"],
  ["#a12a2a", "#ef8080"],
  ["#47632b", "#a3c77e"],
];

/** SVG dash patterns, so that lines differ without color; the first is solid. */
const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 2]];

export function seriesColor(index: number): string {
  return `var(--s${index % SERIES.length})`;
}

/** Solid for the first series; changes at each series, and shifts when the colors start again. */
export function seriesDash(index: number): readonly number[] {
  return DASHES[(index + Math.floor(index / SERIES.length)) % DASHES.length] ?? [];
}

function seriesVariables(scheme: 0 | 1): string {
  return SERIES.map((colors, index) => `--s${index}:${colors[scheme]};`).join("");
}

const LIGHT = `--bg:#fff;--fg:#1d2329;--soft:#59636e;--line:#d9dee4;--faint:#eef1f4;--card:#f7f8fa;--up:37,99,170;--down:196,84,10;--link:#0b57a4;--good:#0a6b4f;--bad:#a8430a;${seriesVariables(0)}`;
const DARK = `--bg:#14181d;--fg:#e4e8ec;--soft:#a3adb8;--line:#343c45;--faint:#20262d;--card:#1a2027;--up:98,174,245;--down:240,147,78;--link:#7db8f5;--good:#5fd0a8;--bad:#f3a268;${seriesVariables(1)}`;

/** Declarations of all colors, for pictures that stand alone. */
export const COLOR_VARIABLES = { light: LIGHT, dark: DARK } as const;

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
@media print{:root{color-scheme:light;${LIGHT}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:anywhere;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Hiragino Sans","Noto Sans JP",sans-serif}
main{max-width:1320px;margin:0 auto;padding:28px 20px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem;letter-spacing:-.01em}
h2{font-size:1.25rem;line-height:1.3;margin:3rem 0 .5rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.6rem 0 .4rem}
p,ul,dl{margin:.5rem 0}
p,li{max-width:76ch}
a{color:var(--link)}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:10px 12px;white-space:pre-wrap}
.soft,figcaption{color:var(--soft)}
.small{font-size:.875rem}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;font-size:.9rem}
.verdict{border-left:4px solid var(--soft);background:var(--card);padding:.8rem 1rem;margin:1.1rem 0;border-radius:0 6px 6px 0}
.verdict p:first-child{font-size:1.125rem;font-weight:600;margin:0}
.verdict ul{padding-left:1.1rem;margin:.5rem 0 0}
.verdict li{margin:.25rem 0}
.verdict.tone-gain{border-color:var(--good)}.verdict.tone-loss{border-color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:10px;margin:1rem 0}
.tiles div{border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem}
.tiles dt{font-size:.8125rem;color:var(--soft)}
.tiles dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles dd+dd{font-size:.8125rem;font-weight:400;color:var(--soft)}
.summary-ja{border:1px solid var(--line);border-radius:6px;padding:.7rem 1rem;margin:1rem 0}
.summary-ja h2{border:0;margin:0;padding:0;font-size:1rem}
.summary-ja ul{padding-left:1.2rem;margin:.3rem 0 0}
.scroll{overflow-x:auto;max-width:100%;position:relative}
.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
.table{margin:.6rem 0}.table figcaption{font-size:.875rem;max-width:88ch;padding-bottom:.4rem}
th,td{padding:.35rem .5rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{vertical-align:bottom;border-bottom:2px solid var(--line);font-weight:600;background:var(--bg)}
th:first-child,td.text,th.text{text-align:left}
tbody th{font-weight:600}
.sortable thead button{all:unset;cursor:pointer;font:inherit}
.sortable thead button:hover{color:var(--link)}.sortable thead button:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.sortable th[aria-sort] button::after{content:" \\25be"}.sortable th[aria-sort=ascending] button::after{content:" \\25b4"}
tr.focus>*{background:var(--card)}
.stick th:first-child{position:sticky;left:0;background:var(--bg);z-index:1}
.stick tr.focus th:first-child{background:var(--card)}
.sub{display:block;font-size:.88em;color:var(--soft);font-weight:400}
.gain{font-weight:600}
.flag{color:var(--bad);font-weight:600}
th .sub.flag{white-space:normal;max-width:24rem;font-weight:600}
.swatch{display:inline-block;width:26px;height:10px;margin-right:.4em;vertical-align:.05em}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;font-size:.875rem}
.legend li{max-width:100%}figure .legend{font-size:.8125rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:18px 20px;margin:.6rem 0}
.charts.wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr))}
figure{margin:0;min-width:0}
figcaption{font-size:.8125rem}
figcaption b{color:var(--fg)}
svg{display:block;max-width:100%}
figure svg{width:100%;height:auto}
td svg{display:inline-block;vertical-align:middle}
.heats{display:flex;flex-wrap:wrap;gap:14px 20px}.heats figure{max-width:100%}
.heat td,.heat th{padding:.28rem .32rem;text-align:center;border:1px solid var(--line);font-size:.78rem}
.heat th{font-weight:400;background:var(--bg)}
.heat tbody th{text-align:left}
.pictures td,.pictures th{border:0;padding:.2rem .3rem;text-align:center;font-weight:400}
.pictures td{vertical-align:middle}
.pictures thead th{font-size:.8125rem;color:var(--soft);white-space:normal;min-width:112px}
.pictures img{display:block;width:120px;height:auto;image-rendering:pixelated;background:var(--faint);border-radius:3px}
.picture-grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,505px),1fr));gap:6px 24px}
.none{display:flex;align-items:center;justify-content:center;width:120px;aspect-ratio:1;border:1px dashed var(--line);border-radius:3px;color:var(--soft);font-size:.8125rem}
.banner{border:1px solid var(--bad);border-radius:6px;padding:.6rem 1rem}
.facts{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.25rem 1.2rem}
.facts dt{color:var(--soft)}.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
details{margin:1rem 0}summary{cursor:pointer;font-weight:600}
@media (max-width:600px){.stick th:first-child{white-space:normal;min-width:8rem;max-width:9.5rem}main{padding:18px 14px 40px}h1{font-size:1.4rem}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.5rem}.pictures img,.none{width:84px}.pictures thead th{min-width:80px}.pictures td,.pictures th{padding:.15rem}}
@page{size:A4 landscape;margin:13mm}
@media print{body{font-size:10pt}main{max-width:none;padding:0}nav{display:none}.scroll{overflow:visible}figure,tr,.verdict,.tiles{break-inside:avoid}h2,h3{break-after:avoid}details::details-content{content-visibility:visible;height:auto}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}table{font-size:7.5pt}th,td{padding:.15rem .3rem}}
`;
