"""Takes the documentation's pictures of MLflow's pages, with the runs of a state folder.

python tests/e2e/take_pictures.py STATE_FOLDER
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.helpers.browser import chromium, find_chromium
from tests.helpers.e2e_workspace import Workspace
from tests.helpers.mlflow_servers import mlflow_server
from tests.helpers.paths import PROJECT_DIR

WIDTH, HEIGHT = 1700, 1000
LOAD_SECONDS = 30
PAGES = {
    "mlflow-runs.png": "/experiments/{id}/runs?workflowType=machine_learning{view}",
    "mlflow-compare.png": (
        "/experiments/{id}/runs?compareRunsMode=CHART&workflowType=machine_learning{view}"
    ),
}
TIDY = """
    const style = document.createElement("style");
    style.textContent = ".modebar { display: none !important }";  // shown where nothing hovers
    document.head.append(style);
"""


def take(browser: webdriver.Chrome, address: str, path: Path) -> None:
    browser.get("about:blank")
    browser.get(address)
    time.sleep(LOAD_SECONDS)
    for button in browser.find_elements(By.CSS_SELECTOR, "button[aria-label='Close']"):
        button.click()  # the assistant, which opens on the first visit of a browser
    browser.execute_script(TIDY)
    time.sleep(LOAD_SECONDS / 5)
    browser.save_screenshot(str(path))


def main() -> None:
    workspace = Workspace(Path(sys.argv[1]).resolve())
    experiment = workspace.mlflow().get_experiment_by_name("iris")
    shared = [key for key in experiment.tags if key.startswith("mlflow.sharedViewState.")]
    view = "".join(f"&viewStateShareKey={key.rpartition('.')[2]}" for key in shared[:1])
    programs = find_chromium()
    assert programs is not None
    with (
        TemporaryDirectory() as folder,
        mlflow_server(Path(folder), f"sqlite:///{workspace.root}/mlflow.db") as server,
        chromium(programs, WIDTH, HEIGHT) as browser,
    ):
        for name, page in PAGES.items():
            address = server.url + "/#" + page.format(id=experiment.experiment_id, view=view)
            take(browser, address, PROJECT_DIR / "docs" / name)


if __name__ == "__main__":
    main()
