#include "mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
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

// All of V8's pages are private and anonymous, so these are told to be copied, whether they are marked or not; where
// they are, nothing happens. Only /proc/self/smaps says which are, and the kernel counts every page for it: 5 to 11 ms
// with 150 MB.
int ShareMappings() {
  uintptr_t start = 0, end = 0;
  auto share = [&] {
    if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_DOFORK);
  };
  int error = ForEachLine("/proc/self/maps", [&](const char* line) {
    uintptr_t from, to;
    char kind;
    unsigned long inode;
    int name = 0;
    // "7f00a000-7f00c000 rw-p 00000000 00:00 0    [anon:v8]"
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*3c%c %*s %*s %lu %n", &from, &to, &kind, &inode, &name) < 4) return;
    bool anonymous = line[name] == '\0' || strncmp(line + name, "[anon", 5) == 0;
    if (kind != 'p' || inode != 0 || !anonymous) return;
    // Neighbours are told at once.
    if (from != end) {
      share();
      start = from;
    }
    end = to;
  });
  share();
  return error;
}

}  // namespace mapache
