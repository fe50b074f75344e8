"""The built site in a headless Chromium, on a narrow and a wide window.

Skipped where the site is not built (`tools/build_docs.sh`), or where Chromium or
selenium is missing.
"""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "build" / "doc" / "html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
PAGES = {
    "front": "index.html",
    "guide": "guide/recipes.html",
    "gallery": "gallery/index.html",
    "example": "gallery/2_models/plot_circles_and_moons.html",
    "reference": "api/index.html",
}
WINDOWS = {"narrow": (420, 900), "wide": (1400, 900)}

if not (SITE / "index.html").exists():
    pytest.skip("the site is not built: tools/build_docs.sh", allow_module_level=True)
if not (BROWSER and DRIVER):
    pytest.skip("there is no Chromium with its chromedriver", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    ]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(executable_path=DRIVER)
    )
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture(scope="module", params=sorted(WINDOWS))
def window(request, driver):
    driver.set_window_size(*WINDOWS[request.param])
    return request.param


def wait_for(driver, script):
    """The value of `script` once it gives one."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 60).until(lambda d: d.execute_script(script))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_page(driver, address, window, page, tmp_path):
    driver.get(f"{address}/{PAGES[page]}")
    wait_for(driver, "return document.readyState === 'complete'")
    # Pictures below the window load when it comes to them.
    driver.execute_script(
        "document.querySelectorAll('img').forEach(i => { i.loading = 'eager'; })"
    )
    wait_for(driver, "return [...document.images].every(i => i.complete)")
    broken = driver.execute_script(
        "return [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    )
    assert not broken
    errors = [e for e in driver.get_log("browser") if e["level"] == "SEVERE"]
    assert not errors
    sideways = driver.execute_script(
        "const root = document.documentElement;"
        "return root.scrollWidth - root.clientWidth"
    )
    assert sideways <= 1, "the page scrolls sideways"
    assert driver.find_element("css selector", "h1").is_displayed()
    assert driver.save_screenshot(str(tmp_path / f"{page}_{window}.png"))


@pytest.mark.parametrize("page", ["front", "example"])
def test_pictures_are_there(driver, address, page):
    driver.get(f"{address}/{PAGES[page]}")
    sizes = wait_for(
        driver,
        "return [...document.querySelectorAll('article img')]"
        ".filter(i => i.complete && i.naturalWidth > 300).map(i => i.clientWidth)",
    )
    assert sizes and min(sizes) > 100


@pytest.mark.parametrize("page", ["front", "guide", "example"])
def test_code_can_be_copied(driver, address, page):
    driver.get(f"{address}/{PAGES[page]}")
    blocks, buttons = wait_for(
        driver,
        "const b = document.querySelectorAll('button.copybtn').length;"
        "return b ? [document.querySelectorAll('div.highlight').length, b] : null",
    )
    assert buttons == blocks


def test_search_finds_a_model(driver, address):
    driver.get(f"{address}/search.html?q=LinearMMD")
    found = wait_for(
        driver,
        "const links = [...document.querySelectorAll('#search-results a')]"
        ".map(a => a.href); return links.length > 3 ? links : null",
    )
    assert any("gemclus.linear.LinearMMD" in link for link in found)
