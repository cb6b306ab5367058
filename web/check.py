"""Uses the page as a reader does, in a real browser: web/check.py PAGE MODELS [SCREENSHOTS].

Two safetensors files and a GGUF file are compared at desktop and phone width, light and
dark; nothing may be said on the console, nothing asked of any server, and what the page
finds must be what the program finds. Needs playwright and Chromium.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, List

from playwright.sync_api import Browser, Page, sync_playwright  # type: ignore[import-not-found,unused-ignore]

PAGE, MODELS = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
SHOTS = Path(sys.argv[3]) if len(sys.argv) > 3 else None
VIEWS = {"desktop": (1280, 900, "light"), "desktop-dark": (1280, 900, "dark"), "phone": (390, 844, "light"), "phone-dark": (390, 844, "dark")}


def opened(browser: Browser, width: int, height: int, scheme: Any, said: List[str]) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.on("console", lambda m: said.append(f"console: {m.text}"))
    page.on("pageerror", lambda e: said.append(f"error: {e}"))
    page.on("request", lambda r: said.append(f"request: {r.url}") if not r.url.startswith(("file:", "blob:", "data:", "about:")) else None)
    page.goto(PAGE.as_uri())
    return page


def give(page: Page, side: str, files: List[Path]) -> None:
    page.set_input_files(f'fieldset[data-side="{side}"] input[multiple]', [str(f) for f in files])


def compared(page: Page) -> str:
    page.click("#compare")
    page.wait_for_selector("#result:not([hidden]), #words.bad", timeout=300_000)
    assert page.is_visible("#result"), page.inner_text("#words")
    return page.inner_text("#verdict")


def saved(page: Page) -> Any:
    with page.expect_download() as d:
        page.click("#save-json")
    return json.loads(Path(d.value.path()).read_text("utf-8"))


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def files(name: str) -> List[Path]:
    return sorted((MODELS / name).iterdir())


def expected(a: List[Path], b: List[Path]) -> Any:
    """What the program finds, with the same files."""
    out = subprocess.run(["go", "run", "./cmd/weightprint", "compare", "--json", str(a[0].parent), str(b[0].parent)], cwd=Path(__file__).parents[1], capture_output=True, check=True)
    return json.loads(out.stdout)


def main() -> None:
    said: List[str] = []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height, scheme) in VIEWS.items():
            page = opened(browser, width, height, scheme, said)
            assert page.is_disabled("#compare")
            give(page, "A", files("base"))
            give(page, "B", files("fine-tune"))
            assert compared(page) == "RELATED"
            assert overflow(page) == 0, f"{name}: the page is wider than the window"
            assert page.evaluate("at('text').scrollWidth <= at('text').clientWidth"), f"{name}: the verdict is cut"
            assert page.frame_locator("#report").locator("h1").first.inner_text()
            if SHOTS:
                SHOTS.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)
            if name == "desktop":
                mine, theirs = saved(page), expected(files("base"), files("fine-tune"))
                for field in ("verdict", "components", "evidence", "layers", "delta", "seed"):
                    assert mine[field] == theirs[field], field
                give(page, "B", files("fine-tune-q8_0"))
                assert compared(page) == "RELATED", "a GGUF file"
                give(page, "A", files("fine-tune"))
                assert compared(page) == "REENCODED", "a GGUF file"
                give(page, "B", files("other-seed"))
                assert compared(page) == "NO-EVIDENCE"
                give(page, "B", [Path(__file__)])
                page.click("#compare")
                page.wait_for_selector("#words.bad")
                assert "check.py" in page.inner_text("#words"), page.inner_text("#words")
                assert page.is_hidden("#result") and page.is_enabled("#compare")
            page.close()
        browser.close()
    assert not said, "\n".join(said)
    print(f"ok: {len(VIEWS)} views; nothing on the console, nothing asked of any server")


main()
