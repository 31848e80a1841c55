#include "fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

// glibc 2.35 and newer registers an area for restartable sequences, and says where; others have neither.
extern "C" {
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
}

namespace mapache {

namespace {

#if defined(SYS_rseq) && (defined(__x86_64__) || defined(__aarch64__))
// The kernel takes the area away from a process that shares its memory, which the one in between does, and ours is a
// copy of that one. The area still says that it is in use: the C library, or an allocator, would read an old CPU number.
void RegisterRestartableSequences() {
  if (&__rseq_size == nullptr || &__rseq_offset == nullptr || __rseq_size == 0) return;
#if defined(__x86_64__)
  constexpr unsigned kSignature = 0x53053053;
  char* thread;
  __asm__("mov %%fs:0, %0" : "=r"(thread));
#else
  constexpr unsigned kSignature = 0xd428bc00;
  char* thread = static_cast<char*>(__builtin_thread_pointer());
#endif
  constexpr unsigned kLeast = 32;
  constexpr uint32_t kFailed = static_cast<uint32_t>(-2);
  uint32_t* area = reinterpret_cast<uint32_t*>(thread + __rseq_offset);
  if (syscall(SYS_rseq, area, std::max(__rseq_size, kLeast), 0, kSignature) != 0 && errno != EBUSY) area[1] = kFailed;
}
#else
void RegisterRestartableSequences() {}
#endif

void BecomeOrphan(pid_t parent) {
  RegisterRestartableSequences();
  setsid();
  const timespec pause = {0, 50'000};
  while (getppid() == parent) nanosleep(&pause, nullptr);
}

}  // namespace

pid_t ForkAway() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  // The one in between does nothing but fork, so it need not have a copy of our memory: we wait while it uses ours. That
  // is half of the time of it all, which goes into copying page tables. What it may not do is return from here; the one
  // that it forks may, as that has a copy, with this very stack.
  pid_t between = vfork();
  if (between == 0) {
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      close(ends[1]);
      BecomeOrphan(parent);
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
    // Killed before it could say anything.
    if (got != sizeof(pid)) pid = -ECHILD;
    while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  close(ends[0]);
  return pid;
}

}  // namespace mapache
