// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/sha256.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "sim/platform/user_error.h"

namespace lanyard
{

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free)
{
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Sha256::add(const void *data, size_t bytes)
{
    EVP_DigestUpdate(context_.get(), data, bytes);
}

std::string Sha256::finish()
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &length);
    std::string text;
    for (unsigned i = 0; i < length; i++) {
        constexpr char DIGITS[] = "0123456789abcdef";
        text += {DIGITS[digest[i] >> 4], DIGITS[digest[i] & 15]};
    }
    return text;
}

std::string sha256_of_file(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::vector<char> buffer(1 << 16);
    Sha256 sha;
    while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0)
        sha.add(buffer.data(), static_cast<size_t>(file.gcount()));
    if (!file.eof())
        throw UserError("cannot read " + path + ": " + std::strerror(errno));
    return sha.finish();
}

} // namespace lanyard
