import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderReport } from "./render-report.js";
import { syntheticPictures, syntheticResult } from "./testing/synthetic-result.js";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Needs a browser on the machine; without one these are skipped, and the other tests of the report still run. */
describe.skipIf(CHROMIUM === undefined)("the report in a browser", () => {
  const result = syntheticResult({ description: `{"${"unbreakable".repeat(20)}":1}` });
  const page = renderReport({ result, pictures: syntheticPictures(["local", "fedhca2"], 16) });
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"], headless: true });
  });

  afterAll(async () => {
    await browser?.close();
  });

  for (const width of [1280, 400]) {
    it(`is as wide as the window at ${width} px, breaks no policy of its own and shows every picture`, async () => {
      const tab = await browser.newPage({ viewport: { width, height: 900 } });
      const complaints: string[] = [];
      tab.on("console", (message) => complaints.push(message.text()));
      tab.on("request", (request) => {
        if (!request.url().startsWith("data:")) complaints.push(request.url());
      });
      await tab.setContent(page);
      const seen = await tab.evaluate(`({
        width: document.documentElement.scrollWidth,
        broken: [...document.images].filter((image) => image.naturalWidth === 0).length,
        images: document.images.length,
      })`);
      await tab.close();
      expect(complaints).toEqual([]);
      expect(seen).toMatchObject({ width, broken: 0, images: 12 * 3 * 4 });
    });
  }

  it("sorts 20 strategies by a click on a heading, the other way round by a second, and stays as wide as the window", async () => {
    const names = Array.from({ length: 18 }, (_, i) => [`method-${i}`, ((7 * i) % 18) - 6]);
    const many = syntheticResult({ seeds: [1, 2], gains: { local: 0, fedavg: 1, ...Object.fromEntries(names) } });
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await tab.setContent(renderReport({ result: many, pictures: [] }));
    const order = () =>
      tab.evaluate(`[...document.querySelectorAll("#gain tbody tr th")].map((cell) => cell.textContent)`);
    const written = (await order()) as string[];
    expect(written).toHaveLength(20);
    await tab.click("#gain thead th:nth-child(2) button");
    expect(await order()).toEqual(written);
    await tab.click("#gain thead th:nth-child(2) button");
    expect(await order()).toEqual(written.toReversed());
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(1280);
    await tab.close();
  });
});
