# SPDX-License-Identifier: Apache-2.0
def pytest_addoption(parser):
    parser.addoption("--tap-apps", required=True, help="the built program tap_apps")
