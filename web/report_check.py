"""Looks at reports as their readers do: web/report_check.py SCREENSHOTS REPORT.html…

Each report is opened in Chromium at desktop and phone width, light and dark, and printed.
Nothing may be said on the console, nothing asked of any server, nothing may be wider than
the window, and every text must stand out from what lies behind it by the contrast that
WCAG 2.2 asks for (AA: 4.5, or 3 for large letters). Needs playwright and Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List

from playwright.sync_api import Page, sync_playwright  # type: ignore[import-not-found,unused-ignore]

SHOTS, REPORTS = Path(sys.argv[1]), [Path(p).resolve() for p in sys.argv[2:]]
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}

# Every visible text with its colour, and what lies behind the middle of its first line.
TEXTS = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = colour => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); const d = pen.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const shown = e => { const s = getComputedStyle(e); return s.visibility !== 'hidden' && s.display !== 'none'; };
  const opacity = e => { let o = 1; for (; e; e = e.parentElement) o *= parseFloat(getComputedStyle(e).opacity); return o; };
  const paint = e => {
    const s = getComputedStyle(e), svg = e instanceof SVGElement && !(e instanceof SVGSVGElement);
    const c = rgba(svg ? (s.fill.startsWith('url') ? 'transparent' : s.fill) : s.backgroundColor);
    c[3] *= opacity(e) * (svg ? parseFloat(s.fillOpacity) : 1);
    return c;
  };
  const luminance = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const out = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; n = walker.nextNode();) {
    const e = n.parentElement;
    if (!n.data.trim() || !shown(e) || e.closest('style,script,title,desc,head')) continue;
    const range = document.createRange(); range.selectNodeContents(n);
    let box = range.getClientRects()[0];
    if (!box || box.width < 1 || box.height < 1) continue;
    window.scrollTo(0, box.top + window.scrollY - 100);
    box = range.getClientRects()[0];
    const stack = document.elementsFromPoint(Math.min(box.left + box.width / 2, innerWidth - 1), box.top + box.height / 2);
    let behind = [255, 255, 255, 1];
    if (matchMedia('(prefers-color-scheme: dark)').matches && getComputedStyle(document.documentElement).colorScheme.includes('dark')) behind = [18, 18, 18, 1];
    const root = rgba(getComputedStyle(document.documentElement).backgroundColor), body = rgba(getComputedStyle(document.body).backgroundColor);
    behind = over(root, behind); behind = over(body, behind);
    for (const x of stack.reverse()) if (!(x instanceof SVGTextElement || x instanceof SVGTSpanElement)) behind = over(paint(x), behind);
    const s = getComputedStyle(e), front = rgba(e instanceof SVGElement ? s.fill : s.color);
    front[3] *= opacity(e);
    const seen = over(front, behind), a = luminance(seen.slice(0, 3)), b = luminance(behind.slice(0, 3));
    const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && parseInt(s.fontWeight) >= 700;
    out.push({text: n.data.trim().slice(0, 40), ratio: (Math.max(a, b) + .05) / (Math.min(a, b) + .05), least: large ? 3 : 4.5, front: seen, behind, size});
  }
  window.scrollTo(0, 0);
  return out;
}"""


def contrasts(page: Page, where: str, faults: List[str]) -> float:
    """Holds every text against the contrast it needs; the least one is returned."""
    texts: List[Dict[str, Any]] = page.evaluate(TEXTS)
    assert len(texts) > 20, where
    for t in texts:
        if t["ratio"] < t["least"]:
            faults.append(f"{where}: {t['text']!r} has contrast {t['ratio']:.2f}, {t['front'][:3]} on {t['behind'][:3]}")
    return min(float(t["ratio"]) for t in texts)


def unfolded(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def main() -> None:
    faults: List[str] = []
    least, views = 21.0, 0
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for report in REPORTS:
            for size, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    where = f"{report.stem}-{size}-{scheme}"
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
                    page.on("console", lambda m, w=where: faults.append(f"{w}: console: {m.text}"))
                    page.on("pageerror", lambda e, w=where: faults.append(f"{w}: error: {e}"))
                    page.on("request", lambda r, w=where: None if r.url.startswith(("file:", "data:")) else faults.append(f"{w}: request: {r.url}"))
                    page.goto(report.as_uri())
                    page.screenshot(path=str(SHOTS / f"{where}.png"), full_page=True)
                    unfolded(page)
                    wide = int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
                    if wide > 0:
                        faults.append(f"{where}: {wide} pixels wider than the window")
                    least, views = min(least, contrasts(page, where, faults)), views + 1
                    page.close()
            page = browser.new_page(viewport={"width": 794, "height": 1123})
            page.goto(report.as_uri())
            page.emulate_media(media="print")
            least = min(least, contrasts(page, f"{report.stem}-print", faults))
            page.pdf(path=str(SHOTS / f"{report.stem}.pdf"), format="A4", print_background=True)
            page.close()
        browser.close()
    if faults:
        sys.exit("\n".join(faults))
    print(f"ok: {len(REPORTS)} reports in {views} views and printed; the least contrast is {least:.2f}")


main()
