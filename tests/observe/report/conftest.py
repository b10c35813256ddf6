"""A headless Chromium, and pages of real runs for it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import soc_sim
from soc_sim.observe.figures.pack import SHOWN, pack
from soc_sim.observe.report.page import write_report
from soc_sim.observe.report.sources import StoredRun

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

READY_S = 20


def _usable_browser() -> tuple[str, str]:
    """Chromium and its driver; skips where either is missing. Nothing is downloaded."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium with chromedriver is installed")
    try:
        subprocess.run([driver, "--version"], check=True, capture_output=True, timeout=20)  # noqa: S603 # found above
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"chromedriver does not start: {error}")
    return browser, driver


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """One browser for all tests, without network."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service

    browser, driver = _usable_browser()
    options = selenium.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,1000",
    ):
        options.add_argument(flag)
    try:
        started = selenium.Chrome(options=options, service=Service(driver))
    except WebDriverException as error:
        pytest.skip(f"chromium does not start: {(error.msg or '').splitlines()[0]}")
    started.execute_cdp_cmd("Network.enable", {})
    started.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    started.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    yield started
    started.quit()


class Page:
    """A page that is open, as somebody sees it whose system prefers ``scheme`` and does not let pages glide."""

    def __init__(self, chrome: Chrome, path: Path, scheme: str = "light") -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.chrome = chrome
        preferences = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in preferences.items()]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        chrome.get_log("browser")
        chrome.get(path.as_uri())
        WebDriverWait(chrome, READY_S).until(lambda _: self.js("return 'ready' in document.documentElement.dataset"))

    def js(self, code: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.chrome.execute_script(code, *arguments)

    def one(self, selector: str) -> Any:
        """The element of this selector."""
        return self.chrome.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """All elements of this selector."""
        return self.chrome.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        """What a reader finds there."""
        return str(self.js("return document.querySelector(arguments[0]).innerText", selector))

    def keys(self, *keys: str) -> None:
        """Type keys where the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.chrome).send_keys(*keys).perform()

    def worked_s(self) -> float:
        """Processor time that the page's thread has worked since it opened: what other programs do does not count."""
        metrics = self.chrome.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")

    def errors(self) -> list[str]:
        """What the console complains about."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]


@pytest.fixture(scope="session")
def runs() -> list[StoredRun]:
    """ResNet-8 on one core and on two, with timelines."""
    network = soc_sim.load_network("resnet8")
    results = [soc_sim.simulate(soc_sim.load_soc("edge_16x16", [f"cores={cores}"]), network) for cores in (1, 2)]
    return [
        StoredRun(label, result.document, pack(result.timeline(SHOWN)))
        for label, result in zip(("one core", "two cores"), results, strict=True)
    ]


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory, runs: list[StoredRun]) -> Path:
    path = tmp_path_factory.mktemp("report") / "single.html"
    write_report(path, runs[:1])
    return path


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory, runs: list[StoredRun]) -> Path:
    path = tmp_path_factory.mktemp("report") / "compared.html"
    write_report(path, runs)
    return path
