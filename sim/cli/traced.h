// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanyard
{

// Call first thing, with the program's own arguments.
void remember_arguments(char **argv);

// For a run that writes a waveform: becomes the program whose card can, unless this is it. Throws UserError.
void become_traced();

} // namespace lanyard
