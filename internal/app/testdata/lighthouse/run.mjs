// Measures one page with Lighthouse's mobile preset and prints its four scores, and what costs them, as JSON.
// Environment: MODULES, CHROMIUM, PAGE, COOKIE (a Cookie header, or empty).
import { pathToFileURL } from "node:url";
const load = path => import(pathToFileURL(process.env.MODULES + path));
const { default: lighthouse } = await load("/lighthouse/core/index.js");
const { launch } = await load("/chrome-launcher/dist/index.js");

const chrome = await launch({ chromePath: process.env.CHROMIUM, logLevel: "silent", chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"] });
try {
  const settings = { port: chrome.port, output: "json", logLevel: "error", maxWaitForLoad: 180000, onlyCategories: ["performance", "accessibility", "best-practices", "seo"] };
  if (process.env.COOKIE) settings.extraHeaders = { Cookie: process.env.COOKIE };
  const { lhr } = await lighthouse(process.env.PAGE, settings);
  const scores = {}, faults = [];
  for (const [name, category] of Object.entries(lhr.categories)) {
    scores[name] = category.score;
    for (const ref of category.auditRefs) {
      const audit = lhr.audits[ref.id];
      if (ref.weight > 0 && audit.score !== null && audit.score < 1) faults.push(`${name}: ${audit.title} ${audit.displayValue ?? ""} ${JSON.stringify(audit.details?.items?.slice(0, 2) ?? "").slice(0, 300)}`);
    }
  }
  console.log(JSON.stringify({ scores, faults, speed: lhr.environment.benchmarkIndex, error: lhr.runtimeError?.message ?? "" }));
} finally {
  await chrome.kill();
}
