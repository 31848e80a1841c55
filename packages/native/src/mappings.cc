#include "mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace mapache {

namespace {

// Calls `take` with each line of a file in /proc. Returns 0 or an errno.
template <typename Take>
int ForEachLine(const char* path, Take take) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  std::string rest;
  char buffer[1 << 16];
  int error = 0;
  for (;;) {
    ssize_t got = read(file, buffer, sizeof(buffer));
    if (got == 0) break;
    if (got < 0) {
      if (errno == EINTR) continue;
      error = errno;
      break;
    }
    rest.append(buffer, static_cast<size_t>(got));
    size_t start = 0;
    for (size_t end; (end = rest.find('\n', start)) != std::string::npos; start = end + 1) {
      rest[end] = '\0';
      take(rest.c_str() + start);
    }
    rest.erase(0, start);
  }
  close(file);
  return error;
}

}  // namespace

int ShareMappings() {
  uintptr_t start = 0, end = 0;
  return ForEachLine("/proc/self/smaps", [&](const char* line) {
    // "55e0c0-55e0d0 r-xp ..." opens a mapping, "Name: value" follows; "VmFlags: rd wr mr dc ..." is among the last.
    if (strncmp(line, "VmFlags:", 8) == 0) {
      if (strstr(line, " dc") != nullptr) madvise(reinterpret_cast<void*>(start), end - start, MADV_DOFORK);
    } else if (line[0] < 'A' || line[0] > 'Z') {
      char* dash = nullptr;
      start = strtoull(line, &dash, 16);
      if (*dash == '-') end = strtoull(dash + 1, nullptr, 16);
    }
  });
}

}  // namespace mapache
