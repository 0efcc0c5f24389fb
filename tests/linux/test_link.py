# SPDX-License-Identifier: Apache-2.0
"""What a case leaves behind."""
import os

import pytest

from link import link, read_exactly

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun")


@pytest.fixture
def programs(request):
    return request.config.getoption("--wire"), request.config.getoption("--stack-end")


@pytest.mark.parametrize("connect", ["from_kernel", "from_stack"])
def test_a_connection_that_a_failed_case_leaves_open_is_none_of_the_next_one_s(programs, connect):
    with pytest.raises(EOFError), link(programs) as both:
        left = getattr(both, connect)()
        left.sendall(b"give 1000000\n")
        read_exactly(left, 1000)
        raise EOFError
    with link(programs) as both:
        left.close()  # as soon as nobody remembers the failure
    assert both.kernel["TcpEstabResets"] == both.kernel["TcpOutRsts"] == 0
