// Looks at pages in a real browser: `node check.mjs URL PLAYWRIGHT CHROMIUM SHOTS`. Prints what is wrong, a line
// each, and ends with 1 if anything is.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [base, playwright, executablePath, shots] = process.argv.slice(2);
const { chromium } = createRequire(join(playwright, "package.json"))("playwright-core");
mkdirSync(shots, { recursive: true });

const wrong = [];
const expect = (holds, what) => holds || wrong.push(what);

const PAGES = {
  home: "/",
  results: "/search?q=example",
  all: "/search",
  none: "/search?q=no+such+thing",
  package: "/packages/calculator",
  grants: "/packages/http-fetch",
  yanked: "/packages/http-fetch/0.3.0",
  affected: "/packages/http-fetch/0.4.0",
  revoked: "/packages/csv-query",
  versions: "/packages/calculator/versions",
  publisher: "/publishers/acme",
  advisories: "/advisories",
  missing: "/packages/nothing",
  hostile: "/packages/hostile",
  "hostile-advisories": "/packages/hostile/advisories",
  "hostile-query": "/search?q=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AEelif",
};
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

// Every text of the page that is seen, with the contrast of its colour to what is behind it (WCAG 2.2, 1.4.3).
const contrasts = () => {
  const channels = (colour) => {
    const found = colour.match(/^rgba?\(([^)]*)\)$/);
    if (!found) throw new Error(`a colour is written ${colour}`);
    const [r, g, b, a = 1] = found[1].split(/[\s,/]+/).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (name) => top[name] * top.a + below[name] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const linear = [r, g, b].map((value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(channels(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const low = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || !element.checkVisibility() || element.closest(".skip")) continue;
    const ground = behind(element);
    const [one, other] = [luminance(over(channels(getComputedStyle(element).color), ground)), luminance(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push(`${ratio.toFixed(2)}: ${element.tagName}.${element.className} “${text.data.trim().slice(0, 30)}”`);
  }
  return low;
};

const browser = await chromium.launch({
  executablePath,
  // The sandbox needs another user than root, and containers have no room in /dev/shm.
  args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), "--disable-dev-shm-usage"],
});

// What pages ask for, say and do that they should not, whatever is done with them.
const watched = (page, name, seen) => {
  page.on("console", (message) => wrong.push(`${name}: the console says “${message.text()}”`));
  page.on("pageerror", (error) => wrong.push(`${name}: a script failed: ${error}`));
  page.on("dialog", (dialog) => { wrong.push(`${name}: a dialog opened`); dialog.dismiss(); });
  page.on("popup", () => wrong.push(`${name}: another page opened`));
  page.on("request", (request) => {
    expect(request.url().startsWith(base), `${name}: it asks for ${request.url()}`);
    expect(request.resourceType() !== "script", `${name}: it asks for a script`);
  });
  page.on("response", async (response) => {
    const { pathname } = new URL(response.url());
    if (pathname !== "/favicon.ico") seen.push(await response.body().then((body) => body.length, () => 0));
  });
};

for (const colorScheme of ["light", "dark"]) {
  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const [name, path] of Object.entries(PAGES)) {
      // With scripts enabled nothing may run either; only then can the page be measured.
      const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 });
      const page = await context.newPage();
      const [label, seen] = [`${name} (${device}, ${colorScheme})`, []];
      const allowed = ["missing"].includes(name);
      watched(page, label, seen);
      if (allowed) page.removeAllListeners("console");
      await page.goto(base + path, { waitUntil: "load" });
      const bytes = seen.reduce((sum, one) => sum + one, 0);
      expect(bytes <= 100_000, `${label}: it weighs ${bytes} bytes`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide <= 0, `${label}: it is ${wide} px wider than the screen`);
      for (const low of await page.evaluate(contrasts)) wrong.push(`${label}: contrast ${low}`);
      const facts = await page.evaluate(() => ({
        h1: document.querySelectorAll("h1").length,
        lang: document.documentElement.lang,
        alien: document.querySelectorAll("script, img, svg, iframe, object, embed, [onclick], [onerror], [onfocus], [style], [autofocus]").length,
        links: [...document.querySelectorAll("a")].map((a) => a.href).filter((href) => !/^https?:/.test(href)),
        title: document.title,
        clipped: [...document.querySelectorAll("main *")].filter((it) => it.clientHeight && it.scrollHeight > it.clientHeight + 4 && !it.closest(".packages, pre, table")).length,
        unlabelled: [...document.querySelectorAll("input")].filter((input) => !input.labels.length).length,
        ids: [...document.querySelectorAll("[id]")].length - new Set([...document.querySelectorAll("[id]")].map((it) => it.id)).size,
        order: [...document.querySelectorAll("h1, h2, h3")].map((it) => +it.tagName[1]).some((level, at, all) => level > (all[at - 1] ?? 0) + 1),
      }));
      expect(facts.h1 === 1, `${label}: it has ${facts.h1} h1`);
      expect(facts.lang === "en", `${label}: its language is “${facts.lang}”`);
      expect(facts.alien === 0, `${label}: it has ${facts.alien} elements of others`);
      expect(facts.links.length === 0, `${label}: it links to ${facts.links}`);
      expect(facts.title !== "owned", `${label}: a script of others ran`);
      expect(facts.clipped === 0, `${label}: ${facts.clipped} texts are cut off`);
      expect(facts.unlabelled === 0, `${label}: an input has no label`);
      expect(facts.ids === 0, `${label}: an id is there twice`);
      expect(!facts.order, `${label}: a heading's level is skipped`);
      if (process.env.SHOTS !== "none") {
        await page.screenshot({ path: join(shots, `${name}-${device}-${colorScheme}.png`), fullPage: !name.startsWith("hostile") });
      }
      await context.close();
    }
  }
}

// Somebody without scripts and without a mouse finds a package and reads what it may do.
const context = await browser.newContext({ viewport: DESKTOP, javaScriptEnabled: false });
const page = await context.newPage();
watched(page, "by keyboard", []);
await page.goto(base + "/");
await page.keyboard.press("Tab");
expect((await page.locator(":focus").innerText()) === "Skip to content", "by keyboard: the first stop does not skip to the content");
await page.getByLabel("Search packages").focus();
await page.keyboard.type("fetch");
await page.keyboard.press("Enter");
await page.waitForURL("**/search?q=fetch");
expect((await page.getByRole("status").innerText()) === "1 package", "by keyboard: the search does not find one package");
for (let stops = 0; stops < 12; stops += 1) {
  await page.keyboard.press("Tab");
  if ((await page.locator(":focus").innerText()) === "http-fetch") break;
}
await page.keyboard.press("Enter");
await page.waitForURL("**/packages/http-fetch");
const may = await page.getByRole("region", { name: "What it may do" }).innerText();
for (const part of ["see what time it is", "read the secret api-token", "send GET requests to api.example.org on port 443"]) {
  expect(may.includes(part), `by keyboard: “${part}” is not among what it may do: ${may}`);
}
await page.locator("summary").first().focus();
await page.keyboard.press("Enter");
expect(await page.locator("details[open] pre").first().isVisible(), "by keyboard: the schema does not open");

// What others wrote is there as it was written.
await page.goto(base + "/packages/hostile");
const text = await page.locator("main").innerText();
for (const part of ["<script>document.title='owned'</script>", "<img src=x onerror=alert(1)>", "javascript:alert(document.domain)//"]) {
  expect(text.includes(part), `hostile: “${part}” is not there as text`);
}
await page.goto(base + "/search?q=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AEelif");
expect((await page.locator("h1").innerText()).includes("<script>alert(1)</script>\\u{202e}elif"), "hostile: the query is not told as text");

await browser.close();
for (const what of new Set(wrong)) console.log(what);
process.exit(wrong.length ? 1 : 0);
