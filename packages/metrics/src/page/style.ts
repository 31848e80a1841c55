/** The page's style: the system's font, light and dark by what the reader chose, from 320 px up. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#f4f5f6;--sheet:#fff;--ink:#15191d;--soft:#57606a;--line:#d5dae0;--track:#e6e9ec;--accent:#1f5fc4;--accent-ink:#fff;--good:#1a7346;--busy:#8a5a00;--bad:#b3261e;--good-ground:#e3f3ea;--busy-ground:#fbf0d9;--bad-ground:#fbe6e4;--own:#2f6fd0;--shared:#9dbdea}
@media (prefers-color-scheme:dark){:root{--ground:#0e1113;--sheet:#171b1e;--ink:#e4e8eb;--soft:#9aa4ad;--line:#2b3238;--track:#262c31;--accent:#7fb0ff;--accent-ink:#0b1a33;--good:#5fcf95;--busy:#e3b452;--bad:#ff8a80;--good-ground:#12291e;--busy-ground:#2c2412;--bad-ground:#341917;--own:#5b95ee;--shared:#345a93}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.4 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1,h2,h3,p,dl,dd,ol,ul,figure{margin:0;padding:0}
ol,ul{list-style:none}
h1{font-size:1.25rem;line-height:1.2}
h2,h3{font-size:.9375rem;line-height:1.3}
.unseen,.skip:not(:focus){position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip:focus{position:absolute;z-index:2;top:.5rem;left:.5rem;padding:.4rem .7rem;background:var(--sheet);color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.note,#about,.hint{color:var(--soft);font-size:.8125rem}

header,main{max-width:90rem;margin:0 auto;padding:0 1rem}
header{display:grid;grid-template-columns:1fr auto;gap:.15rem 1rem;padding-top:1rem;padding-bottom:.75rem}
.who{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem .6rem;grid-column:1}
#about{grid-column:1}
.actions{grid-column:2;grid-row:1/3;align-self:center;display:flex;flex-wrap:wrap;gap:.5rem}
#state{padding:.1rem .55rem;border-radius:1rem;font-weight:600;font-size:.8125rem;border:1px solid currentColor}
#state::before{content:'';display:inline-block;width:.5rem;height:.5rem;margin-right:.4rem;border-radius:50%;background:currentColor}
[data-tone=good]{color:var(--good);background:var(--good-ground)}
[data-tone=busy]{color:var(--busy);background:var(--busy-ground)}
[data-tone=bad]{color:var(--bad);background:var(--bad-ground)}
#state[data-tone=bad]::before{border-radius:0}
#connection{color:var(--soft);font-size:.8125rem}
.stale #connection{color:var(--bad);font-weight:600}
:is(.stale main,.stale #state){opacity:.55;filter:grayscale(1)}

button,select,input{font:inherit;color:inherit}
button,select{min-height:2.25rem;padding:.3rem .8rem;border:1px solid var(--line);border-radius:.4rem;background:var(--sheet);cursor:pointer}
button:hover:enabled,select:hover{border-color:var(--soft)}
button:disabled{opacity:.5;cursor:default}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--accent-ink);font-weight:600}
button.small,select{min-height:1.75rem;padding:.1rem .55rem;font-size:.8125rem}

main{display:grid;gap:.9rem;padding-bottom:2rem}
.notice,#outcome,#roll,.chart,.totals,.tile,#log{background:var(--sheet);border:1px solid var(--line);border-radius:.5rem}
.notice{padding:.6rem .8rem}
#outcome{display:grid;grid-template-columns:1fr auto;gap:.4rem .8rem;align-items:start;padding:.6rem .8rem;border-left:4px solid var(--good)}
#outcome[data-ok=false]{border-left-color:var(--bad)}
#outcome-text{font-weight:600;unicode-bidi:plaintext;white-space:pre-wrap}
#outcome-text::before{content:'✓ ';color:var(--good)}
#outcome[data-ok=false] #outcome-text::before{content:'✕ ';color:var(--bad)}
#outcome-error{grid-column:1/-1}
#outcome-error:empty{display:none}
.group-head{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem .6rem}

#roll{padding:.7rem .8rem;border-left:4px solid var(--busy)}
#roll .note{margin-left:auto}
#roll .track{margin:.5rem 0}
#roll .part{background:var(--busy)}
#roll-steps{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:.75rem}
#roll-steps li{display:grid;align-content:start;padding-top:.3rem;border-top:3px solid var(--track);color:var(--soft);font-size:.8125rem;line-height:1.3}
#roll-steps [data-at=done]{border-top-color:var(--busy)}
#roll-steps [data-at=now]{border-top:3px dashed var(--busy);color:var(--ink)}
#roll-steps [data-at=done] strong::before{content:'✓ '}
#roll-steps [data-at=now] strong::before{content:'▸ '}

.charts{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:.75rem}
.chart{padding:.6rem .8rem .4rem}
figcaption{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .5rem}
figcaption strong{font-size:1.375rem;line-height:1.2}
figcaption .note{margin-left:auto}
.chart-title,.max,.axis,dt,.row .name{color:var(--soft);font-size:.75rem}
.plot{position:relative;margin-top:.35rem;border-top:1px dashed var(--line);border-bottom:1px solid var(--line)}
.max{position:absolute;top:1px;left:0;padding:0 .25rem 0 0;background:var(--sheet);line-height:1.2}
svg{display:block;width:100%;height:56px}
.axis{display:flex;justify-content:space-between}
.line{fill:none;stroke:var(--own);stroke-width:1.5;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.line.thin{stroke-width:1}
.fill{fill:var(--own);opacity:.16}
.own-fill{fill:color-mix(in srgb,var(--own) 50%,var(--sheet))}
.shared-fill{fill:url(#hatch)}
.hatch{stroke:var(--shared);stroke-width:3}

.totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr));gap:.4rem .8rem;padding:.5rem .8rem}
.totals dd{font-weight:600}
.totals>div,.facts>div{display:flex;flex-direction:column;min-width:0}

#generations{display:grid;gap:.9rem}
#generations:focus{outline:none}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(14.5rem,1fr));gap:.6rem;margin-top:.35rem}
.tile{position:relative;display:flex;flex-direction:column;gap:.35rem;padding:.55rem .7rem;min-width:0;border-left:4px solid var(--good)}
.tile-head{display:flex;align-items:center;gap:.4rem}
.tile-head strong{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.state{margin-left:auto;padding-left:.3rem;font-size:.8125rem;color:var(--good);white-space:nowrap}
.dot{flex:none;width:.65rem;height:.65rem;border-radius:50%;border:2px solid var(--good);background:var(--good)}
.reason{font-size:.8125rem;color:var(--soft);margin-top:-.25rem}
.tile[data-state=spare],.tile[data-role]:not([data-role=worker]){border-left-color:var(--line)}
[data-state=spare] .dot{background:none}
[data-state=launching]{border-left-style:dashed}
.tile[data-state=launching],.tile[data-state=retiring]{border-left-color:var(--busy)}
:is([data-state=launching],[data-state=retiring]) :is(.state,.dot){color:var(--busy);border-color:var(--busy)}
[data-state=launching] .dot{background:none;border-style:dotted;animation:turn 2s linear infinite}
.tile[data-state=retiring]{border-style:dashed;border-left-style:dashed}
[data-state=retiring] .dot{background:linear-gradient(var(--busy) 0 0) bottom/100% 50% no-repeat}
.tile[data-state=crashed]{border-color:var(--bad)}
[data-state=crashed] :is(.state,.reason){color:var(--bad);font-weight:600}
[data-state=crashed] .dot{border-radius:0;background:var(--bad);border-color:var(--bad)}
.tile[data-state=gone]{opacity:.55;border-style:dashed;border-left-color:var(--line)}
[data-state=gone] :is(.state,.dot){color:var(--soft);border-color:var(--soft);background:none}
:is([data-state=gone],[data-state=crashed])>:is(.facts,.row){display:none}
@keyframes turn{to{transform:rotate(1turn)}}
.facts{display:grid;grid-template-columns:1fr 1fr 1.2fr;gap:.4rem}
.facts dd{font-weight:600;white-space:nowrap}
.row{display:grid;grid-template-columns:3.4rem 1fr auto;align-items:center;gap:.4rem;font-size:.8125rem}
.row .value{min-width:3.6rem;text-align:right;white-space:nowrap}
.track{display:flex;height:.5rem;border-radius:.25rem;background:var(--track);overflow:hidden}
.part{background:var(--own)}
.part-1,.shared::before{background:repeating-linear-gradient(45deg,var(--shared) 0 3px,transparent 3px 5px)}
[data-high=true] .part-0{background:var(--bad)}
[data-high=true] .value{color:var(--bad);font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:0 .8rem;color:var(--soft);font-size:.75rem}
.legend:not(:has(:not(:empty))){display:none}
.legend span:not(:empty)::before{content:'';display:inline-block;width:.6rem;height:.6rem;margin-right:.3rem;border-radius:2px;vertical-align:-1px}
.own::before{background:var(--own)}
.tile-foot{display:flex;align-items:center;justify-content:space-between;flex-wrap:wrap;gap:.2rem .4rem;margin-top:auto;color:var(--soft);font-size:.75rem;min-height:1.75rem}
.tile-foot button{color:var(--ink)}

.log label{margin-left:auto;color:var(--soft);font-size:.8125rem}
#log{margin-top:.35rem;max-height:24rem;overflow-y:auto;font:.8125rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
#log li{display:grid;grid-template-columns:auto 3.2rem 1fr;gap:0 .6rem;padding:.2rem .7rem;border-bottom:1px solid var(--track)}
#log li:last-child{border-bottom:0}
#log time,.level{color:var(--soft)}
.message{white-space:pre-wrap;unicode-bidi:plaintext;min-width:0}
[data-level=warn] .level{color:var(--busy);font-weight:700}
:is([data-level=error],[data-level=fatal]) .level{color:var(--bad);font-weight:700}
#log details{grid-column:3}
summary{cursor:pointer;color:var(--soft);font-size:.8125rem}
pre{margin:.3rem 0;padding:.5rem .6rem;max-height:18rem;overflow:auto;background:var(--ground);border-radius:.3rem;font:.75rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;unicode-bidi:plaintext}

dialog{width:min(26rem,calc(100vw - 2rem));padding:1.1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--sheet);color:var(--ink)}
dialog::backdrop{background:rgb(0 0 0/.45)}
dialog form{display:grid;gap:.75rem}
.field{display:grid;gap:.25rem}
.field label{font-weight:600}
input{width:100%;min-height:2.4rem;padding:.35rem .6rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--ground)}
.warning{padding:.5rem .6rem;border-left:4px solid var(--busy);background:var(--busy-ground)}
#ask-error{color:var(--bad);font-weight:600}
#ask-error:empty{display:none}
.ask-buttons{display:flex;justify-content:flex-end;gap:.5rem}

@media (max-width:52rem){
header{grid-template-columns:1fr}
.actions{grid-column:1;grid-row:auto;margin-top:.5rem}
.charts{grid-template-columns:1fr}
}
@media (max-width:34rem){
header,main{padding-left:.75rem;padding-right:.75rem}
.actions{display:grid;grid-template-columns:1fr 1fr}
button{min-height:2.75rem}
.tile-foot button{min-height:2.25rem;padding:.1rem .8rem}
#outcome-close,#upgraded-reload{min-height:2.25rem}
.tiles{grid-template-columns:1fr;gap:.5rem}
.chart svg{height:42px}
.totals{grid-template-columns:repeat(4,1fr);gap:.4rem}
.totals dt{font-size:.6875rem}
.tile{gap:.25rem}
.tile .legend{margin-left:3.8rem}
#log li{grid-template-columns:auto 1fr}
#log :is(.message,details){grid-column:1/-1}
}
@media (prefers-reduced-motion:reduce){*{animation:none!important}}
@media (forced-colors:active){.part,.dot{forced-color-adjust:none}}
`
