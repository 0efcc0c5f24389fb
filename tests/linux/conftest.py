# SPDX-License-Identifier: Apache-2.0
def pytest_addoption(parser):
    parser.addoption("--wire", required=True, help="the built program linux_wire")
    parser.addoption("--stack-end", required=True, help="the built program linux_stack_end")
    parser.addoption("--product", action="store_true", help="every combination, not a choice of them")
