/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_SOUND_H
#define LANYARD_TESTS_NET_TCP_SOUND_H

#include "lanyard/stack.h"

/* What holds for each established connection of a stack whenever it is left, whatever came before: queues hold the
 * bytes that they are said to hold, the scoreboard is all of what is under way, what arrived beyond gaps is in order
 * and within the window, windows have bounds, and whatever is owed or under way has a deadline. */
void assert_sound(const struct lan_stack *stack);

#endif
