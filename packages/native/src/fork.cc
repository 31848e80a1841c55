#include "fork.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace mapache {

namespace {

void WaitUntilOrphaned(pid_t parent) {
  const timespec pause = {0, 50'000};
  while (getppid() == parent) nanosleep(&pause, nullptr);
}

}  // namespace

pid_t ForkAway() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  pid_t between = fork();
  if (between == 0) {
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      close(ends[1]);
      setsid();
      WaitUntilOrphaned(parent);
      return 0;
    }
    if (pid < 0) pid = -errno;
    ssize_t written = write(ends[1], &pid, sizeof(pid));
    _exit(written == sizeof(pid) ? 0 : 1);
  }
  pid_t pid = between < 0 ? -errno : 0;
  close(ends[1]);
  if (between > 0) {
    ssize_t got;
    do got = read(ends[0], &pid, sizeof(pid));
    while (got < 0 && errno == EINTR);
    // Killed in between, by somebody or for want of memory.
    if (got != sizeof(pid)) pid = -ECHILD;
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  close(ends[0]);
  return pid;
}

}  // namespace mapache
