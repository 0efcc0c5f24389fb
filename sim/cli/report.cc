// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/report.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "sim/platform/user_error.h"

namespace lanyard
{

void write_report(const std::string &file, const Json &report)
{
    if (file == "-") {
        std::cout << report.dump(2) << std::endl;
        if (!std::cout)
            throw UserError("cannot write standard output");
        return;
    }
    std::ofstream out(file);
    out << report.dump(2) << "\n";
    out.close();
    if (!out)
        throw UserError("cannot write " + file + ": " + std::strerror(errno));
}

} // namespace lanyard
