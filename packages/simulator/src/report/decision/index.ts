/**
 * The three figures for a decision: accuracy, communication and cost, privacy risk; and what follows from them. As a chapter of the
 * report, as a page of its own, and as text.
 */
import { DEFAULT_THRESHOLDS, type PricesConfig, type ThresholdsConfig } from "../../config/decision-schema.js";
import type { ComparisonResult } from "../../result.js";
import { type Html, html, raw } from "../html.js";
import { STYLE } from "../styles.js";
import { makeView, type ReportStrategy, type ReportView } from "../view.js";
import { type DecisionFacts, decisionFacts } from "./facts.js";
import { type Judgement, judge } from "./judge.js";
import { decisionMarkup } from "./page.js";
import { decisionText } from "./text.js";
import type { Language, Words } from "./words.js";
import { ENGLISH } from "./words-en.js";
import { JAPANESE } from "./words-ja.js";

export const LANGUAGES: Readonly<Record<Language, Words>> = { en: ENGLISH, ja: JAPANESE };

export interface DecisionOptions {
  readonly languages: readonly Language[];
  /** Strategy that is decided on; absent: that of the thresholds, else the one that the report is about. */
  readonly strategy?: string | undefined;
  /** Prices and thresholds of this scenario, in place of those in the result: what it lacks is not taken from there either. */
  readonly limits?: DecisionLimits | undefined;
}

export interface DecisionLimits {
  /** The scenario file, for the reader. */
  readonly file: string;
  readonly prices?: PricesConfig | undefined;
  readonly thresholds?: ThresholdsConfig | undefined;
}

export interface Decision {
  readonly strategy: string;
  readonly decision: Judgement["decision"];
  /** A whole page that needs no other file. */
  readonly page: string;
  readonly text: string;
}

/** Null where no federated method was run, or none of the name that was asked for. */
export function renderDecision(result: ComparisonResult, options: DecisionOptions): Decision | null {
  const { prices: _, thresholds: __, ...plain } = result.scenario;
  const { prices, thresholds } = options.limits ?? result.scenario;
  const scenario = {
    ...plain,
    ...(prices === undefined ? {} : { prices }),
    ...(thresholds === undefined ? {} : { thresholds }),
  };
  const view = makeView({ result: { ...result, scenario }, pictures: [] });
  const decided = decide(view, options.strategy, options.limits?.file);
  if (decided === null) return null;
  const { facts, judgement } = decided;
  const words = options.languages.map((language) => LANGUAGES[language]);
  return {
    strategy: facts.strategy.name,
    decision: judgement.decision,
    page: `${pageOf(view, words, facts, judgement).text}\n`,
    text: words.map((one) => decisionText(facts, judgement, one)).join("\n"),
  };
}

/** The chapter of the report: English, then Japanese folded in. */
export function decisionSection(view: ReportView): Html | null {
  const decided = decide(view);
  if (decided === null) return null;
  const { facts, judgement } = decided;
  return html`<section id="decision"><h2>${ENGLISH.title}</h2>
${decisionMarkup(facts, judgement, ENGLISH)}
<details lang="ja"><summary>日本語：${JAPANESE.title}</summary>${decisionMarkup(facts, judgement, JAPANESE)}</details></section>`;
}

function decide(
  view: ReportView,
  asked?: string,
  limitsFile?: string,
): { readonly facts: DecisionFacts; readonly judgement: Judgement } | null {
  const thresholds = view.result.scenario.thresholds ?? DEFAULT_THRESHOLDS;
  const strategy = strategyNamed(view, asked);
  if (strategy === null) return null;
  const facts = decisionFacts(view, strategy, {
    choice: asked === undefined ? view.choice : null,
    limitsFile: limitsFile ?? null,
  });
  return { facts, judgement: judge(facts, thresholds) };
}

function strategyNamed(view: ReportView, name: string | undefined): ReportStrategy | null {
  return name === undefined ? view.focus : (view.strategies.find((one) => one.name === name) ?? null);
}

function pageOf(view: ReportView, words: readonly Words[], facts: DecisionFacts, judgement: Judgement): Html {
  const [first] = words;
  return html`<!doctype html>
<html lang="${first?.lang ?? "en"}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${view.result.scenario.name}: ${first?.title ?? ""} – Kumiai</title><style>${raw(STYLE)}</style></head>
<body><main><h1>${view.result.scenario.name}</h1>${words.map(
    (one) => html`<section lang="${one.lang}"><h2>${one.title}</h2>${decisionMarkup(facts, judgement, one)}</section>`,
  )}</main></body></html>`;
}
